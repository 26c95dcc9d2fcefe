/// <reference lib="deno.unstable" />
import { deepStrictEqual } from "node:assert/strict";
import plugin from "./lint_plugin.ts";

/** Returns the ids of the rules that a file at `path` breaks. */
function broken(path: string, source: string): string[] {
  const file = new URL(`../${path}`, import.meta.url).pathname;
  return Deno.lint.runPlugin(plugin, file, source).map((found) => found.id);
}

function refuses(path: string, sources: string[], rule: string): void {
  for (const source of sources) {
    deepStrictEqual(broken(path, source), [`snap/${rule}`], source);
  }
}

function accepts(path: string, sources: string[]): void {
  for (const source of sources) {
    deepStrictEqual(broken(path, source), [], source);
  }
}

Deno.test("import-direction lets imports go down by package name", () => {
  accepts("store/store.ts", [`import { idOf } from "@snap/hash";`]);
  accepts("pack/pack_reader.ts", [
    `export { type Store } from "@snap/store";`,
  ]);
  accepts("save/save.ts", [`import { posix } from "@snap/posix";`]);
  accepts("fuse/answer.ts", [
    `import { Record } from "@snap/snapshot/records";`,
  ]);
  accepts("disk/source/source.ts", [
    `import type { Id } from "@snap/hash";`,
    `import { type Id } from "@snap/hash";`,
  ]);
  accepts("cli/commands/save.ts", [`await import("@snap/save");`]);
});

Deno.test("import-direction refuses a line of its own and above", () => {
  refuses("store/store.ts", [
    `import "@snap/manifest";`,
    `import type { Pack } from "@snap/pack";`,
    `export * from "@snap/pack/codecs";`,
    `export type { Pack } from "@snap/pack";`,
    `await import("@snap/pack");`,
    `export type X = import("@snap/pack").X;`,
  ], "import-direction");
  refuses("hash/id.ts", [`import "@snap/posix";`], "import-direction");
  refuses("disk/walk.ts", [
    `import { idOf } from "@snap/hash";`,
    `import "@snap/pack";`,
  ], "import-direction");
  refuses("fuse/answer.ts", [
    `import { View } from "@snap/snapshot/view";`,
    `import { save } from "@snap/snapshot";`,
    `import { main } from "@snap/cli";`,
  ], "import-direction");
  refuses("snapshot/view/view.ts", [
    `import { posix } from "@snap/posix";`,
    `import { diskCalls } from "@snap/disk";`,
    `import { save } from "@snap/save";`,
  ], "import-direction");
  refuses(
    "restore/run.ts",
    [`import { save } from "@snap/save";`],
    "import-direction",
  );
  refuses(
    "pack/codec/codec.ts",
    [`import "@snap/unknown";`],
    "import-direction",
  );
});

Deno.test("import-direction keeps relative imports in their package", () => {
  accepts("cli/commands/save.ts", [`import "../progress.ts";`]);
  accepts("tests/save_test.ts", [
    `import "./_prng.ts"; import "../bench/_trees.ts";`,
  ]);
  accepts("hash/chunk/chunker_test.ts", [
    `import { Prng } from "../tests/_prng.ts";`,
  ]);
  accepts("hash/mod_test.ts", [`import * as hash from "./mod.ts";`]);
  refuses("pack/errors.ts", [
    `import "../hash/id.ts";`,
    `import "./mod.ts";`,
    `import "../mod.ts";`,
    `import "../tests/_prng.ts";`,
    `import "@snap/pack/frame";`,
  ], "import-direction");
  refuses("tests/save_test.ts", [
    `import "../hash/id.ts";`,
    `import "../mod.ts";`,
  ], "import-direction");
});

Deno.test("import-direction wants versions in the root deno.json", () => {
  accepts("pack/codec/lz4_codec.ts", [
    `import "lz4-wasm-nodejs"; import "node:zlib";`,
  ]);
  refuses("pack/codec/lz4_codec.ts", [
    `import "npm:lz4-wasm-nodejs@0.9.2";`,
    `import "https://example.org/a.ts";`,
  ], "import-direction");
});

Deno.test("runtime-neutral refuses Deno outside the files made for it", () => {
  const source = `Deno.exit();`;
  for (
    const path of [
      "posix/posix.ts",
      "cli/main.ts",
      "hash/id_test.ts",
      "bench/x_bench.ts",
    ]
  ) {
    accepts(path, [source]);
  }
  refuses(
    "hash/id.ts",
    [source, `globalThis.Deno;`, `let x: Deno.FsFile;`],
    "runtime-neutral",
  );
  refuses("cli/commands/save.ts", [source], "runtime-neutral");
});

Deno.test("function-length counts every kind of function", () => {
  const body = "\n".repeat(69);
  accepts("hash/id.ts", [`function f() {${body}}`]);
  refuses("hash/id.ts", [
    `function f() {${body}\n}`,
    `const f = () => {${body}\n};`,
    `class A { f() {${body}\n} }`,
  ], "function-length");
});

Deno.test("file-length counts source and leaves tests alone", () => {
  accepts("hash/id.ts", [";\n".repeat(400)]);
  accepts("hash/id_test.ts", [";\n".repeat(401)]);
  refuses("hash/id.ts", [";\n".repeat(401)], "file-length");
});

Deno.test("erasable-syntax refuses what type stripping cannot erase", () => {
  refuses("hash/id.ts", [
    `enum Kind { A }`,
    `class A { constructor(readonly x: number) {} }`,
    `export default 1;`,
    `async function f() { await using a = g(); }`,
  ], "erasable-syntax");
  accepts("hash/id_test.ts", [`function f() { using a = g(); }`]);
});

Deno.test("error-message holds the grammar of messages", () => {
  accepts("hash/id.ts", [
    "throw new RangeError(`Cannot read ${1} rows: found ${2}`);",
    "throw new PosixError('openat');",
    "throw new Error(message);",
  ]);
  accepts("hash/id_test.ts", [`throw new Error("boom.");`]);
  refuses("hash/id.ts", [
    `throw new Error("Cannot read.");`,
    "throw new PackSyntaxError(`Cannot read ${1}.`);",
    `throw new TypeError("cannot read");`,
    `throw new Error("Can't read");`,
  ], "error-message");
});
