// A store that another process serves on its standard input and output.
import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { Readable, Writable } from "node:stream";
import { setImmediate } from "node:timers";
import { findNode, nodeArguments } from "../../tests/_node.ts";
import { makeFastFolder } from "../testdata/fast_folder.ts";
import { RetryStore } from "../wrap/retry_store.ts";
import { openPipeStore, type Pipe } from "./pipe_store.ts";
import type { RemoteStore } from "./remote_store.ts";

const MIB = 1024 * 1024;
const SAVE_ID = "0123456789abcdef".repeat(2);
const PROGRAM = new URL("testdata/serve_stdio.ts", import.meta.url).pathname;
const bytes = new Uint8Array(9.5 * MIB).map((_, i) => i * i >> 7);

const RUNTIMES: Readonly<Record<string, () => string[] | undefined>> = {
  Deno: () => [Deno.execPath(), "run", "-A", "--no-check", PROGRAM],
  Node: () => {
    const node = findNode();
    return node === undefined ? undefined : [node, ...nodeArguments(PROGRAM)];
  },
};

async function served(
  [program, ...args]: readonly string[],
  folder: string,
): Promise<{ store: RemoteStore; child: ChildProcess }> {
  const child = spawn(program, [...args, `${folder}/store`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const pipe = {
    readable: Readable.toWeb(child.stdout!),
    writable: Writable.toWeb(child.stdin!),
  } as unknown as Pipe;
  const store = await openPipeStore(pipe, { spoolFolder: folder });
  return { store, child };
}

Deno.test("a store behind a pipe goes on when the program is killed", async () => {
  const folder = makeFastFolder();
  const [program, ...args] = [...RUNTIMES.Deno()!, `${folder}/store`];
  const children: ChildProcess[] = [];
  const connect = () => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    children.push(child);
    return {
      readable: Readable.toWeb(child.stdout!),
      writable: Writable.toWeb(child.stdin!),
    } as unknown as Pipe;
  };
  try {
    const inner = await openPipeStore(connect(), {
      spoolFolder: folder,
      location: "ssh://host/store",
      retry: { pauseFirstMs: 1 },
      reconnect: () => Promise.resolve(connect()),
    });
    const store = new RetryStore(inner, { pauseFirstMs: 1 });
    await store.create("index/one", bytes.subarray(0, 100));
    await kill(children[0]);
    strictEqual(await store.size("index/one"), 100);
    strictEqual(children.length, 2);
    const path = await store.spoolPath(SAVE_ID);
    for (let i = 0; i < 5; i++) writeFileSync(path, bytes, { flag: "a" });
    const adopt = store.adopt("packs/ab/one", path);
    while (uploaded(folder) < MIB) await turn();
    await kill(children[1]);
    strictEqual(await adopt, true);
    strictEqual(await store.size("packs/ab/one"), 5 * bytes.length);
    strictEqual(children.length, 3);
    const end = once(children[2], "exit");
    await inner[Symbol.asyncDispose]();
    deepStrictEqual(await end, [0, null]);
    await rejects(inner.size("index/one"), {
      message:
        "Cannot find the size of index/one: ssh://host/store broke the connection (ECONNRESET)",
    });
    strictEqual(children.length, 3);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

/** How many bytes of an upload there are. */
function uploaded(folder: string): number {
  const tmp = `${folder}/store/tmp`;
  const name = readdirSync(tmp).find((one) => one.endsWith(".upload"));
  return name === undefined
    ? 0
    : statSync(`${tmp}/${name}`, { throwIfNoEntry: false })?.size ?? 0;
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

for (const [name, command] of Object.entries(RUNTIMES)) {
  Deno.test(`a store is served by a child on ${name}, also after a kill`, async () => {
    const words = command();
    if (words === undefined) return;
    const folder = makeFastFolder();
    try {
      const { store, child } = await served(words, folder);
      strictEqual(await store.create("index/one", new Uint8Array([1])), true);
      const path = await store.spoolPath(SAVE_ID);
      writeFileSync(path, bytes);
      strictEqual(await store.adopt("packs/ab/one", path), true);
      deepStrictEqual(await store.read("packs/ab/one"), bytes);
      const large = await store.spoolPath(SAVE_ID);
      for (let i = 0; i < 5; i++) writeFileSync(large, bytes, { flag: "a" });
      const adopt = rejects(store.adopt("packs/ab/two", large), {
        code: "ECONNRESET",
      });
      const exit = once(child, "exit");
      while (uploaded(folder) < MIB) await turn();
      child.kill("SIGKILL");
      await exit;
      await adopt;
      await rejects(store.size("index/one"), { code: "ECONNRESET" });
      await store[Symbol.asyncDispose]();
      const again = await served(words, folder);
      deepStrictEqual(
        await again.store.read("packs/ab/one", { offset: MIB }),
        bytes.subarray(MIB),
      );
      const before = uploaded(folder);
      for (let i = 0; i < 5; i++) writeFileSync(large, bytes, { flag: "a" });
      const second = again.store.adopt("packs/ab/two", large);
      let least = before;
      while (uploaded(folder) > 0) {
        least = Math.min(least, uploaded(folder) || least);
        await turn();
      }
      strictEqual(await second, true);
      strictEqual(least, before); // It went on, and did not begin anew.
      strictEqual(await again.store.size("packs/ab/two"), 5 * bytes.length);
      const end = once(again.child, "exit");
      await again.store[Symbol.asyncDispose]();
      deepStrictEqual(await end, [0, null]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
