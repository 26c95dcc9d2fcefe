import { ok, strictEqual } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { nativeHasher } from "./native.ts";

const CHECK_COUNT = 2_000_000;
/** Enough for the leak to show, little enough for any machine. */
const LEAK_COUNT = 100_000;
const GROWTH_MAX = 24 << 20;

const root = fileURLToPath(new URL("..", import.meta.url));
const program = "hash/testdata/check_many.ts";
const node = spawnSync("node", ["--version"], { encoding: "utf8" }).stdout;

interface Report {
  readonly name: string;
  readonly growth: number;
}

function report(command: string, args: string[]): Report {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
  });
  strictEqual(status, 0, stderr);
  return JSON.parse(stdout);
}

function onDeno(kind: string, count: number): Report {
  return report(Deno.execPath(), ["run", "-A", program, kind, `${count}`]);
}

/** Node 20 takes no types off, and knows no import map: both are done here. */
function transpile(folder: string): void {
  const sources = readdirSync(join(root, "hash"))
    .filter((name) => /^[^.]+(?<!_test)\.ts$/.test(name));
  const { status, stderr } = spawnSync(Deno.execPath(), [
    ...["transpile", "--outdir", folder, program],
    ...sources.map((name) => join("hash", name)),
  ], { cwd: root, encoding: "utf8" });
  strictEqual(status, 0, stderr);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  for (const name of files.filter((name) => name.endsWith(".js"))) {
    const text = readFileSync(join(folder, name), "utf8");
    const mended = text.replace(/(["']\.\.?\/[^"'\n]+)\.ts(["'])/g, "$1.js$2");
    writeFileSync(join(folder, name), mended);
  }
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
  const { cache } = createRequire(import.meta.url);
  const target = join(folder, "node_modules/@napi-rs/blake-hash");
  mkdirSync(target, { recursive: true });
  for (const file of Object.keys(cache)) {
    if (!file.includes("blake-hash")) continue;
    copyFileSync(file, join(target, basename(file)));
    if (!file.endsWith("index.js")) continue;
    copyFileSync(
      join(dirname(file), "package.json"),
      join(target, "package.json"),
    );
  }
}

function onNode(kind: string, count: number): Report {
  const folder = mkdtempSync(join(tmpdir(), "hash-"));
  try {
    transpile(folder);
    const built = join(folder, program.replace(/\.ts$/, ".js"));
    return report("node", [built, kind, `${count}`]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const kind of ["wasm", "native"]) {
  Deno.test(`${kind}: two million checks without a yield take no memory`, () => {
    const { name, growth } = onDeno(kind, CHECK_COUNT);
    strictEqual(name, kind);
    ok(growth < GROWTH_MAX, `grew by ${growth} bytes`);
  });

  Deno.test({
    name: `${kind}: two million checks without a yield take no memory on Node ${
      node?.trim() ?? "(skipped: no node on PATH)"
    }`,
    ignore: node === null,
    fn() {
      nativeHasher(); // So that its files are in the module cache.
      const { name, growth } = onNode(kind, CHECK_COUNT);
      strictEqual(name, kind);
      ok(growth < GROWTH_MAX, `grew by ${growth} bytes`);
    },
  });
}

Deno.test("canary: a native hasher for each check is seen to leak", () => {
  const { growth } = onDeno("leak", LEAK_COUNT);
  ok(growth > 4 * GROWTH_MAX, `grew by ${growth} bytes only`);
});
