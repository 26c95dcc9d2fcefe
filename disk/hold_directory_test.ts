import { deepEqual, equal, throws } from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { diskCalls } from "./best_calls.ts";
import { holdDirectory } from "./hold_directory.ts";
import { nodeCalls } from "./node_calls.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

for (
  const [name, calls] of [["native", diskCalls()], [
    "node",
    nodeCalls(),
  ]] as const
) {
  Deno.test(`holdDirectory with ${name} calls: no part of the way is a link`, () => {
    const folder = mkdtempSync("/tmp/hold-");
    try {
      mkdirSync(join(folder, "a/b"), { recursive: true });
      writeFileSync(join(folder, "a/file"), "");
      symlinkSync("b", join(folder, "a/link"));
      symlinkSync("a", join(folder, "root"));
      const held = holdDirectory(folder, encode("a/b"), calls);
      deepEqual(readdirSync(decode(held.path)), []);
      held[Symbol.dispose]();
      for (
        const [root, path, code] of [
          [folder, "a/link", /ELOOP|ENOTDIR/],
          [folder, "a/file", /ENOTDIR/],
          [folder, "root/b", /ELOOP|ENOTDIR/],
          [join(folder, "root"), "b", /ELOOP|ENOTDIR/],
          [folder, "none", /ENOENT/],
        ] as const
      ) throws(() => holdDirectory(root, encode(path), calls), code, path);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

Deno.test("holdDirectory: what its name comes to lead to does not matter", () => {
  const calls = diskCalls();
  const folder = mkdtempSync("/tmp/hold-");
  const held = holdDirectory(folder, new Uint8Array(0), calls);
  try {
    mkdirSync(join(folder, "inside"));
    renameSync(folder, `${folder}-away`);
    symlinkSync("/", folder);
    const names = calls.reduced ? ["inside"] : readdirSync(decode(held.path));
    equal(names.join(), "inside");
  } finally {
    held[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
    rmSync(`${folder}-away`, { recursive: true, force: true });
  }
});
