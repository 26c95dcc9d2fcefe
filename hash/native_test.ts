import { match, strictEqual } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { nativeHasher, NativeHasherError } from "./native.ts";

const program = fileURLToPath(
  new URL("testdata/load_native.ts", import.meta.url),
);

function load(...permissions: string[]): string {
  const args = ["run", "--no-prompt", ...permissions, program];
  const { stdout } = spawnSync(Deno.execPath(), args, { encoding: "utf8" });
  return stdout.trim();
}

Deno.test("nativeHasher() is one for a thread", () => {
  strictEqual(nativeHasher(), nativeHasher());
});

Deno.test("nativeHasher() loads with the permissions that its module names", () => {
  strictEqual(load("--allow-ffi", "--allow-sys", "--allow-read"), "native");
});

Deno.test("nativeHasher() throws where native code is not allowed", () => {
  match(
    load("--allow-sys", "--allow-read"),
    /^Cannot hash natively: @napi-rs\/blake-hash does not load: .*ffi/,
  );
});

Deno.test("NativeHasherError says why", () => {
  const cause = new Error("no such platform");
  const error = new NativeHasherError(cause);
  strictEqual(error.name, "NativeHasherError");
  strictEqual(error.cause, cause);
  strictEqual(
    error.message,
    "Cannot hash natively: @napi-rs/blake-hash does not load: no such platform",
  );
});
