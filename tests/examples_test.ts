import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import {
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { posix } from "@snap/posix/posix";
import { ROOT } from "../_tools/workspace.ts";
import { Prng } from "./_prng.ts";

/** What `b3sum` prints for `hello`. */
const HELLO =
  "ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f";
const NOISE = new Prng(1).bytes(200_000);
const tested = new Set<string>();

/** A directory to run examples on, gone at the end of its block. */
class Input implements Disposable {
  readonly path: string = mkdtempSync("/tmp/snap-examples-");
  readonly a: string = `${this.path}/a`;

  constructor() {
    mkdirSync(`${this.a}/sub`, { recursive: true });
    writeFileSync(`${this.a}/hello.txt`, "hello");
    writeFileSync(`${this.a}/sub/noise`, NOISE);
    symlinkSync("hello.txt", `${this.a}/link`);
    linkSync(`${this.a}/hello.txt`, `${this.a}/sub/same`);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

/** Registers the test of an example; `run` runs it and returns its lines. */
function example(
  name: string,
  test: (
    run: (...args: string[]) => Promise<string[]>,
    input: Input,
  ) => Promise<void>,
  ignore = false,
): void {
  tested.add(name);
  Deno.test({
    name: `example ${name}`,
    ignore,
    async fn() {
      using input = new Input();
      await test((...args) => run(name, args), input);
    },
  });
}

async function run(name: string, args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `examples/${name}.ts`, ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  strictEqual(code, 0, decoder.decode(stderr));
  return decoder.decode(stdout).trimEnd().split("\n");
}

example("b3sum", async (run, { a }) => {
  const noise = wasmHasher.idOf(NOISE);
  deepStrictEqual(await run(`${a}/hello.txt`, `${a}/sub/noise`), [
    `${HELLO}  ${a}/hello.txt`,
    `${noise}  ${a}/sub/noise`,
  ]);
});

example("chunks", async (run, { a }) => {
  const lines = (await run(`${a}/sub/noise`)).map((line) => line.split(" "));
  let end = 0;
  for (const [offset, size, id] of lines) {
    strictEqual(Number(offset), end);
    end += Number(size);
    strictEqual(id, wasmHasher.idOf(NOISE.subarray(Number(offset), end)));
  }
  strictEqual(end, NOISE.length);
});

example("pack", async (run, { a }) => {
  const [first, ...lines] = await run(`${a}/sub/noise`);
  match(first, /^200000 bytes in 1 frames of \d+ bytes$/);
  const sizes = lines.map((line) => Number(line.split(" ")[1]));
  strictEqual(sizes.reduce((sum, size) => sum + size), NOISE.length);
});

example("tree", async (run, { a }) => {
  const lines = await run(a);
  const noise = wasmHasher.idOf(NOISE).slice(0, 12);
  deepStrictEqual(lines.slice(0, -1), [
    `- ${HELLO.slice(0, 12)} 5 hello.txt`,
    "l hello.txt - link",
    "d - - sub",
    `- ${noise} 200000 sub/noise`,
    `- ${HELLO.slice(0, 12)} 5 sub/same`,
  ]);
  match(lines.at(-1)!, /^[0-9a-f]{64}$/);
});

example("diff", async (run, { path, a }) => {
  const b = `${path}/b`;
  cpSync(a, b, { recursive: true, verbatimSymlinks: true });
  deepStrictEqual(await run(a, b), [""]);
  writeFileSync(`${b}/hello.txt`, "changed");
  rmSync(`${b}/link`);
  writeFileSync(`${b}/sub/new`, "");
  deepStrictEqual(await run(a, b), [
    "modified hello.txt",
    "removed link",
    "added sub/new",
  ]);
});

example("save_and_read", async (run, { path, a }) => {
  deepStrictEqual(await run(a, `${path}/store`, "sub/same"), ["hello"]);
});

example("store_usage", async (_run, { path, a }) => {
  const store = `${path}/store`;
  await run("save_and_read", [a, store, "hello.txt"]);
  const lines = await run("store_usage", [store]);
  match(lines[0], /^store [0-9a-f]{32}, codec /);
  deepStrictEqual(
    lines.slice(1).map((line) => line.replace(/, \d+ bytes/, "")),
    [
      "config: 1 files",
      "index: 1 files",
      "packs: 2 files",
      "snapshots: 1 files",
    ],
  );
});

example("disk_usage", async (run, { a }) => {
  const [line] = await run(a);
  match(line, /^5 entries, 200005 bytes in files, \d+ bytes on the disk$/);
});

example("holes", async (run, { path }) => {
  const file = `${path}/holes`;
  writeFileSync(file, "hello");
  truncateSync(file, 1 << 20);
  for (const line of await run(file)) {
    const [start, size] = line.split(" ").map(Number);
    strictEqual(start + size, 1 << 20);
  }
}, posix === undefined);

Deno.test("every example is tested", () => {
  const names = readdirSync(`${ROOT}examples`)
    .filter((name) => name.endsWith(".ts"))
    .map((name) => name.replace(/\.ts$/, ""));
  deepStrictEqual(names.filter((name) => !tested.has(name)), []);
});
