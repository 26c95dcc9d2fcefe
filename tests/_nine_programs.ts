// The programs that a newcomer sees first, and what each has to do: on the sources, and as they
// are published.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import {
  closeSync,
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { createHash } from "node:crypto";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { readText } from "../_tools/workspace.ts";
import { Prng } from "./_prng.ts";

/** What `b3sum` prints for `hello`. */
export const HELLO =
  "ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f";
export const NOISE: Uint8Array = new Prng(1).bytes(200_000);
const LARGE_SIZE = 200_000_000;
/** Most memory for it, of which 50 MB are the mapped file of the runtime. */
export const MEMORY_MAX: number = 150 * 1024 * 1024;

/** Gives the process of a program, which nobody has started. */
export type Command = (name: string, args: readonly string[]) => Deno.Command;

/** What runs the programs. */
export interface Runtime {
  readonly command: Command;
  /** Most bytes that it has for 200 MB of content. */
  readonly memoryMax: number;
}

/** A directory to run programs on, gone at the end of its block. */
export class Input implements Disposable {
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

/** Runs a program to its end, and gives the lines that it prints. */
export async function linesOf(
  command: Deno.Command,
  input = "",
): Promise<string[]> {
  const child = command.spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  strictEqual(code, 0, decoder.decode(stderr));
  return decoder.decode(stdout).trimEnd().split("\n");
}

type Check = (runtime: Runtime, input: Input) => Promise<void>;

/** The nine, by the names of their files in `examples/`. */
export const NINE: Readonly<Record<string, Check>> = {
  async b3sum({ command }, { a }) {
    const noise = wasmHasher.idOf(NOISE);
    const paths = [`${a}/hello.txt`, `${a}/sub/noise`];
    deepStrictEqual(await linesOf(command("b3sum", paths)), [
      `${HELLO}  ${paths[0]}`,
      `${noise}  ${paths[1]}`,
    ]);
  },

  async chunks({ command }) {
    // The second half is the first once more.
    const once = new Prng(2).bytes(2_000_000);
    const twice = new Uint8Array(2 * once.length);
    twice.set(once);
    twice.set(once, once.length);
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => new Response(twice.slice()),
    );
    const url = `http://127.0.0.1:${server.addr.port}/noise`;
    const lines = (await linesOf(command("chunks", [url])))
      .map((line) => line.split(" "));
    const seen = new Set<string>();
    let end = 0;
    for (const [offset, size, id, again] of lines) {
      strictEqual(Number(offset), end);
      end += Number(size);
      strictEqual(id, wasmHasher.idOf(twice.subarray(Number(offset), end)));
      strictEqual(again, seen.has(id) ? "again" : undefined);
      seen.add(id);
    }
    strictEqual(end, twice.length);
    ok(seen.size < lines.length);
  },

  async objects({ command }) {
    const lines = await linesOf(command("objects", []));
    strictEqual(lines.length, 10);
    const id = wasmHasher.idOf(new TextEncoder().encode("blob 9"));
    strictEqual(lines[9], `${id}: blob 9`);
  },

  async save_and_read({ command, memoryMax }, { path, a }) {
    const hash = writeLarge(`${a}/large`);
    const child = command("save_and_read", [a, `${path}/store`, "large"])
      .spawn();
    await child.stdin.close();
    const found = createHash("sha256");
    let memory = 0;
    for await (const bytes of child.stdout) {
      found.update(bytes);
      memory = Math.max(memory, peakOf(child.pid));
    }
    const said = await new Response(child.stderr).text();
    strictEqual((await child.status).code, 0, said);
    strictEqual(found.digest("hex"), hash);
    match(said, /^200000 sub\/noise$/m);
    ok(memory > 0 && memory < memoryMax, `${memory} bytes of memory`);
  },

  async serve({ command }, { path, a }) {
    const store = `${path}/store`;
    await linesOf(command("save_and_read", [a, store, "hello.txt"]));
    const child = command("serve", [store, "latest"]).spawn();
    const reader = child.stdout.getReader();
    const said = new TextDecoder().decode((await reader.read()).value);
    const [, port] = /port: (\d+)/.exec(said)!;
    const get = (name: string, headers = {}, method = "GET") =>
      fetch(`http://127.0.0.1:${port}/${name}`, { method, headers });
    const noise = await get("sub/noise");
    strictEqual(noise.headers.get("content-length"), "200000");
    deepStrictEqual(await noise.bytes(), NOISE);
    const etag = noise.headers.get("etag")!;
    strictEqual(etag, `"${wasmHasher.idOf(NOISE)}"`);
    const part = await get("sub/noise", { range: "bytes=150000-150009" });
    strictEqual(part.status, 206);
    const { headers } = part;
    strictEqual(headers.get("content-range"), "bytes 150000-150009/200000");
    deepStrictEqual(await part.bytes(), NOISE.subarray(150_000, 150_010));
    const last = await get("sub/noise", { range: "bytes=-5" });
    deepStrictEqual(await last.bytes(), NOISE.subarray(-5));
    const answers = [
      await get("sub/noise", { range: "bytes=200000-" }),
      await get("sub/noise", { "if-none-match": etag }),
      await get("sub"),
      await get("%ff").catch(() => undefined),
      await get("sub/noise", {}, "HEAD"),
    ];
    deepStrictEqual(answers.map((one) => one?.status), [
      ...[416, 304, 404, undefined, 200],
    ]);
    for (const one of answers) strictEqual(await one?.text() ?? "", "");
    child.kill("SIGTERM");
    await reader.cancel();
    await child.stdin.close();
    await child.stderr.cancel();
    await child.status;
  },

  async diff({ command }, { path, a }) {
    const b = `${path}/b`;
    cpSync(a, b, { recursive: true, verbatimSymlinks: true });
    deepStrictEqual(await linesOf(command("diff", [a, b])), [""]);
    writeFileSync(`${b}/hello.txt`, "changed");
    rmSync(`${b}/link`);
    writeFileSync(`${b}/sub/new`, "");
    deepStrictEqual(await linesOf(command("diff", [a, b])), [
      "modified hello.txt",
      "removed link",
      "added sub/new",
    ]);
  },

  async own_store({ command }) {
    const lines = await linesOf(command("own_store", []));
    ok(lines.length > 15, `${lines.length} tests`);
    for (const line of lines) match(line, /^ok SQLite /);
  },

  async mount_until({ command }, { path, a }) {
    const store = `${path}/store`;
    await linesOf(command("save_and_read", [a, store, "hello.txt"]));
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const point = `${path}/mount-${signal}`;
      mkdirSync(point);
      const child = command("mount_until", [store, "latest", point]).spawn();
      const reader = child.stdout.getReader();
      match(new TextDecoder().decode((await reader.read()).value), / is at /);
      strictEqual(readFileSync(`${point}/sub/same`, "utf8"), "hello");
      child.kill(signal);
      await reader.cancel();
      await child.stdin.close();
      const said = await new Response(child.stderr).text();
      strictEqual((await child.status).code, 0, said);
      deepStrictEqual(readdirSync(point), []);
      ok(!readFileSync("/proc/mounts", "utf8").includes(point));
    }
  },

  async progress({ command }, { path, a }) {
    writeLarge(`${a}/large`);
    let lines: string[] = [];
    // A busy machine needs longer until there is progress to tell of.
    for (let ms = 50; lines.length < 2; ms *= 2) {
      lines = await linesOf(command("progress", [a, String(ms)]));
    }
    match(lines[0], /^\d+ of \d+ files$/);
    match(lines.at(-1)!, /^It takes too long: gave up within \d+ ms$/);
    const small = await linesOf(command("progress", [`${a}/sub`, "600000"]));
    match(small.at(-1)!, /^[0-9a-f]{64}$/);
    deepStrictEqual(readdirSync(path), ["a"]);
  },
};

/**
 * Writes the programs as somebody would who has the packages.
 *
 * @param folder Where to.
 * @param from What `@snap/` is there.
 * @returns The path of each, without types, by its name.
 */
export function writeNine(folder: string, from: string): Map<string, string> {
  mkdirSync(join(folder, "stores"), { recursive: true });
  const paths = new Map<string, string>();
  for (const name of ["stores/sqlite_store", ...Object.keys(NINE)]) {
    const path = join(folder, `${name}.mjs`);
    const code = stripTypeScriptTypes(readText(`examples/${name}.ts`))
      .replaceAll('"@snap/', `"${from}`).replaceAll('.ts";', '.mjs";');
    writeFileSync(path, code);
    paths.set(name, path);
  }
  return paths;
}

/**
 * Runs all nine.
 *
 * @param mounts Whether those that mount can run here.
 */
export async function runNine(
  runtime: Runtime,
  { mounts }: { readonly mounts: boolean },
): Promise<void> {
  for (const [name, check] of Object.entries(NINE)) {
    if (!mounts && MOUNTING.has(name)) continue;
    using input = new Input();
    await check(runtime, input);
  }
}

/** Which of them need a mount. */
export const MOUNTING: ReadonlySet<string> = new Set(["mount_until"]);

/** Writes a file of noise, and gives its SHA-256. */
function writeLarge(path: string): string {
  const hash = createHash("sha256");
  const fd = openSync(path, "w");
  const piece = new Uint8Array(65_536);
  for (let size = 0; size < LARGE_SIZE; size += piece.length) {
    crypto.getRandomValues(piece);
    const part = piece.subarray(0, LARGE_SIZE - size);
    hash.update(part);
    writeSync(fd, part);
  }
  closeSync(fd);
  return hash.digest("hex");
}

/** The most memory that a process has had so far; 0 once it has gone. */
function peakOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
