import { createHash } from "node:crypto";
import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { posix } from "@snap/posix";
import { openHttpStore } from "@snap/store/http";
import { openFileStore } from "@snap/store/file";
import { initStore, readConfig } from "@snap/store/format";
import { OLDEST_NODE } from "../_tools/build_npm.ts";
import { readPackages, readText, ROOT } from "../_tools/workspace.ts";
import {
  HELLO,
  Input,
  linesOf,
  MEMORY_MAX,
  MOUNTING,
  NINE,
  NOISE,
  type Runtime,
} from "./_nine_programs.ts";
import { shownPrograms } from "./_documents.ts";
import { absentReason } from "./_mount.ts";
import { installPackages, nodeArguments } from "./_node.ts";
import { nodeOf } from "./_npm_project.ts";
import { run } from "./_run.ts";
import { TemporaryFolder } from "./_snapshots.ts";

const tested = new Set<string>();

/** What the packages import from npm, for Node. */
let packages: TemporaryFolder | undefined;
let oldestNode: Promise<typeof onDeno | undefined> | undefined;

/** Gets what runs a program on the oldest Node; nothing where there is none for this machine. */
function onOldestNode(): Promise<typeof onDeno | undefined> {
  return oldestNode ??= findOldestNode();
}

async function findOldestNode(): Promise<typeof onDeno | undefined> {
  const node = await nodeOf(OLDEST_NODE);
  if (node === undefined) {
    console.warn("No Node for this machine: skipped");
    return undefined;
  }
  const { path } = packages = new TemporaryFolder();
  ok(installPackages(path), "npm cannot install");
  return (program) => [node, ...nodeArguments(program, path)];
}

Deno.test.afterAll(() => packages?.[Symbol.dispose]());

/** What runs examples in the test that runs. */
let runtime = onDeno;

function onDeno(program: string): string[] {
  return [Deno.execPath(), "run", "-A", program];
}

/** Registers the tests of an example; `run` runs it and returns its lines. */
function example(
  name: string,
  test: (
    run: (...args: string[]) => Promise<string[]>,
    input: Input,
  ) => Promise<void>,
  ignore = false,
): void {
  tested.add(name);
  const runTest = async (): Promise<void> => {
    using input = new Input();
    await test((...args) => runExample(name, args), input);
  };
  Deno.test({ name: `example ${name}`, ignore, fn: runTest });
  Deno.test({
    name: `example ${name} on Node ${OLDEST_NODE}`,
    ignore,
    async fn() {
      const onNode = await onOldestNode();
      if (onNode === undefined) return;
      runtime = onNode;
      try {
        await runTest();
      } finally {
        runtime = onDeno;
      }
    },
  });
}

/** The process of an example. */
function command(
  name: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Deno.Command {
  const [program, ...words] = runtime(join(ROOT, `examples/${name}.ts`));
  return new Deno.Command(program, {
    args: [...words, ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
}

async function runExample(
  name: string,
  args: string[],
  input = "",
): Promise<string[]> {
  return await linesOf(command(name, args), input);
}

for (const [name, check] of Object.entries(NINE)) {
  const ignore = MOUNTING.has(name) && absentReason !== undefined &&
    Deno.env.get("CI") === undefined;
  // What strips types on Node has more than that for itself.
  const onSources = (): Runtime => ({
    command,
    memoryMax: runtime === onDeno ? MEMORY_MAX : Infinity,
  });
  example(name, (_run, input) => check(onSources(), input), ignore);
}

example("pack", async (run, { a }) => {
  const [first, ...lines] = await run(`${a}/sub/noise`);
  match(first, /^200000 bytes in 1 frames of \d+ bytes$/);
  const sizes = lines.map((line) => Number(line.split(" ")[1]));
  strictEqual(sizes.reduce((sum, size) => sum + size), NOISE.length);
});

example("write_objects", async (run) => {
  const [line] = await run();
  match(line, /^[0-9a-f]{64}: 2 files$/);
});

example("workspace", async (run, { path, a }) => {
  const before = readdirSync(a);
  const lines = await run(a, `${path}/store`);
  deepStrictEqual(lines.map((line) => line.replace(/[0-9a-f]{64}/, "ID")), [
    "one: ID, 4 files",
    "two: ID, 4 files",
    "back: 1 removed",
  ]);
  deepStrictEqual(readdirSync(a), before);
});

example("mcp", async (_run, { a }) => {
  const params = {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "test", version: "1" },
  };
  const said = { jsonrpc: "2.0", id: 1, method: "initialize", params };
  const [line] = await runExample("mcp", [a], `${JSON.stringify(said)}\n`);
  strictEqual(JSON.parse(line).result.serverInfo.name, "example");
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

example("save_entries", async (run) => {
  const [id, ...hello] = await run();
  match(id, /^[0-9a-f]{64}$/);
  deepStrictEqual(hello, ["#!/bin/sh", "echo hello"]);
});

example("tree_id", async (_run, { path }) => {
  const flat = `${path}/flat`;
  mkdirSync(flat);
  writeFileSync(`${flat}/b`, "hello");
  writeFileSync(`${flat}/a b`, NOISE);
  writeFileSync(`${flat}/none`, "");
  const said = readdirSync(flat).map((name) => {
    const bytes = readFileSync(`${flat}/${name}`);
    return `${bytes.length}\n${wasmHasher.idOf(bytes)}  ${name}\n`;
  });
  const [id] = await runExample("tree_id", [], said.join(""));
  strictEqual(id, (await runExample("tree", [flat])).at(-1));
});

example("save_and_diff", async (run, { path, a }) => {
  deepStrictEqual(await run(a, `${path}/store`), [""]);
  writeFileSync(`${a}/hello.txt`, "changed");
  rmSync(`${a}/link`);
  deepStrictEqual(await run(a, `${path}/store`), [
    "modified hello.txt",
    "removed link",
    "modified sub/same",
  ]);
});

example("largest", async (run, { path, a }) => {
  const store = `${path}/store`;
  await runExample("save_and_read", [a, store, "hello.txt"]);
  deepStrictEqual(await run(store, "latest"), [
    "200000 sub/noise",
    "5 hello.txt",
    "5 sub/same",
  ]);
});

example("serve_store", async (_run, { path, a }) => {
  const store = `${path}/store`;
  await runExample("save_and_read", [a, store, "hello.txt"]);
  const token = "a-token-of-the-examples";
  const child = command("serve_store", [store], { SNAP_TOKEN: token }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const url = (await lines.read()).value!.trim();
  const far = await openHttpStore(url, { token });
  strictEqual((await readConfig(far)).number, 1);
  await rejects(far.remove("config/1"), { code: "EACCES" });
  child.kill("SIGTERM");
  await lines.cancel();
  await child.stdin.close();
  const { code, stderr } = await child.output();
  strictEqual(code, 0);
  match(new TextDecoder().decode(stderr), /^GET config\/1 200 \d+$/m);
});

example("mount", async (run, { path, a }) => {
  const store = `${path}/store`;
  await runExample("save_and_read", [a, store, "hello.txt"]);
  const words = await run(store, "latest", "sh", "-c", "cat hello.txt; ls sub");
  deepStrictEqual(words, ["hellonoise", "same"]);
}, absentReason !== undefined && Deno.env.get("CI") === undefined);

example("store_usage", async (_run, { path, a }) => {
  const store = `${path}/store`;
  await runExample("save_and_read", [a, store, "hello.txt"]);
  const lines = await runExample("store_usage", [store]);
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

example("sync_over_bus", async (run, { path, a }) => {
  const [from, to] = [`${path}/from`, `${path}/to`];
  await runExample("save_and_read", [a, from, "hello.txt"]);
  const store = await openFileStore(to, { create: true });
  await initStore(store);
  const lines = await run(from, to);
  match(lines[0], /^hello: \d+ bytes, \d+ ms$/);
  match(lines.at(-1)!, /^sync to the bus: 1 copied, \d+ ms$/);
  const again = await run(from, to);
  strictEqual(again.length, 2);
  match(again[1], /: 0 copied/);
});

example("thin", async (run, { path, a }) => {
  const store = `${path}/thin`;
  await runExample("save_and_read", [a, store, "hello.txt"]);
  writeFileSync(`${a}/hello.txt`, "hello again");
  await runExample("save_and_read", [a, store, "hello.txt"]);
  const lines = await run(store, "1");
  deepStrictEqual(lines.map((line) => line.slice(66)), ["last", "goes"]);
  deepStrictEqual((await run(store, "1")).length, 1);
});

example("tar", async (run, { path, a }) => {
  const store = `${path}/archived`, archive = `${path}/a.tar`;
  await runExample("save_and_read", [a, store, "hello.txt"]);
  const [digest] = await run(store, archive);
  const bytes = readFileSync(archive);
  strictEqual(createHash("sha256").update(bytes).digest("hex"), digest);
  match(bytes.toString("latin1"), /hello\.txt/);
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

Deno.test("the README of every package shows an example, and all are shown", () => {
  const shown = new Set<string>();
  for (const { folder } of readPackages()) {
    const links = [
      ...readText(`${folder}/README.md`)
        .matchAll(/\]\(\.\.\/examples\/(\w+)\.ts\)/g),
    ];
    ok(links.length > 0, folder);
    for (const [, name] of links) shown.add(name);
  }
  deepStrictEqual([...tested].sort(), [...shown].sort());
});

Deno.test(`every program that a document shows runs on Node ${OLDEST_NODE}`, async () => {
  const onNode = await onOldestNode();
  if (onNode === undefined) return;
  using folder = new TemporaryFolder();
  const programs = await shownPrograms();
  for (const place of ["README.md:", "disk/ignore/ignore_rules.ts:"]) {
    ok(programs.some((one) => one.place.startsWith(place)), place);
  }
  const paths = programs.map(({ place, code }) => {
    const path = folder.join(`${place.replaceAll(/\W/g, "_")}.mts`);
    writeFileSync(path, code);
    return path;
  });
  const words = onNode(join(ROOT, "tests/_run_modules.mjs"));
  const { code, stdout, stderr } = await run([...words, ...paths], {
    cwd: folder.path,
    env: { HOME: folder.path },
  });
  strictEqual(code, 0, stdout + stderr);
});
