// Nothing keeps the event loop from its turns: what works long on the main thread leaves it
// every few milliseconds, so that timers, signals and other requests live.
import { ok, rejects, strictEqual } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { makeSnapshots, noise, open, TemporaryFolder } from "./_snapshots.ts";
import { latin } from "./_test_bytes.ts";
import { TestSnapshots } from "./_test_snapshots.ts";
import {
  diffSnapshots,
  find,
  manifestText,
  snapshotSide,
} from "@snap/snapshot/query";
import { identify } from "@snap/save/identify";
import { restore } from "@snap/restore";
import { save } from "@snap/save";
import { verify } from "@snap/snapshot/verify";
import { View } from "@snap/snapshot/view";

/** A stretch without a turn is at most this part of all the work. */
const PART_MAX = 1 / 4;
/** Less work than this does not count, in microseconds: a stretch cannot be told from a pause. */
const WORK_MIN_US = 300_000;

/**
 * Does something, and looks how much this thread works between two rounds of the event loop.
 * Its own time counts, not that of the clock: others may be busy.
 */
async function checkTurns(
  what: string,
  work: () => Promise<unknown>,
): Promise<void> {
  const now = (): number => {
    const { user, system } = process.threadCpuUsage();
    return user + system;
  };
  const start = now();
  let last = start, longest = 0, isOver = false;
  const look = (): void => {
    const time = now();
    longest = Math.max(longest, time - last);
    last = time;
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  while (now() - start < WORK_MIN_US) await work();
  isOver = true;
  look();
  const all = last - start;
  ok(
    longest <= all * PART_MAX,
    `${what}: ${longest} of ${all} microseconds without a turn`,
  );
}

const LARGE_SIZE = 48 << 20;

Deno.test("save, identify, restore and verify without workers let the event loop turn", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  mkdirSync(source);
  writeFileSync(`${source}/large`, noise(LARGE_SIZE, 1));
  await checkTurns(
    "identify a large file",
    () => identify(source, { hasher: wasmHasher }),
  );
  await using snapshots = await makeSnapshots(folder.join("store"));
  await checkTurns("save a large file", () => save(snapshots, source));
  const { record } = await save(snapshots, source);
  let count = 0;
  const target = (): string => folder.join(`target${count++}`);
  await checkTurns(
    "restore a large file",
    () => restore(snapshots, record, target()),
  );
  await checkTurns("verify", () => verify(snapshots, { data: true }));
  const records = [record];
  await checkTurns(
    "verify a snapshot",
    () => verify(snapshots, { data: true, records }),
  );
});

Deno.test("save of files and of a directory with many entries lets the event loop turn", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  mkdirSync(source);
  for (let i = 0; i < 12_000; i++) writeFileSync(`${source}/${i}`, `${i}`);
  await using snapshots = await makeSnapshots(folder.join("store"));
  await checkTurns("save many files", () => save(snapshots, source));
  await using again = await open(snapshots.store);
  await checkTurns("save them again", () => save(again, source));
});

Deno.test("reads of a file let the event loop turn", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  mkdirSync(source);
  writeFileSync(`${source}/large`, noise(LARGE_SIZE, 1));
  writeFileSync(`${source}/small`, "abc");
  await using snapshots = await makeSnapshots(folder.join("store"));
  const { record } = await save(snapshots, source);
  const view = await View.open(snapshots, record);
  const large = (await view.lookup(latin("large")))!;
  const small = (await view.lookup(latin("small")))!;
  await checkTurns("stream", async () => {
    let size = 0;
    for await (const piece of view.stream(large)) size += piece.length;
    strictEqual(size, LARGE_SIZE);
  });
  await checkTurns("read", () => view.read(large));
  await checkTurns("small reads", async () => {
    for (let i = 0; i < 1000; i++) {
      strictEqual((await view.read(small)).length, 3);
    }
  });
  await checkTurns("small look-ups", async () => {
    for (let i = 0; i < 1000; i++) ok(await view.lookup(latin("small")));
  });
});

/** Directories in directories, each twice: more entries than anybody could walk through. */
function endless(depth: number): Record<string, unknown> {
  const tree = { file: { file: "1" } } as Record<string, unknown>;
  if (depth === 0) return tree;
  const directory = endless(depth - 1);
  return { a: { directory }, b: { directory }, ...tree };
}

Deno.test("walks of all kinds let the event loop turn, and end when they are told to", async () => {
  const test = new TestSnapshots();
  const deep = await test.save(
    endless(12) as Parameters<typeof test.save>[0],
  );
  const many = Object.fromEntries(
    Array.from({ length: 20_000 }, (_, i) => [`${i}`, { file: `${i % 7}` }]),
  );
  const wide = await test.save(many);
  const other = await test.save({ ...many, "1": { file: "other" } });
  const snapshots = await test.open();
  const objects = await snapshots.reader();
  for (const record of [deep, wide]) {
    const view = await View.open(snapshots, record);
    await checkTurns("find", () => count(find(view, { name: "*x*" })));
    await checkTurns("walk", () => count(view.walk()));
    await checkTurns("children", () => count(view.children(view.root)));
    await checkTurns("text", () => count(manifestText(objects, record)));
  }
  await checkTurns("diff", () =>
    count(diffSnapshots(
      snapshotSide(objects, wide),
      snapshotSide(objects, other),
    )));
  const view = await View.open(snapshots, deep);
  const controller = new AbortController();
  const { signal } = controller;
  setTimeout(() => controller.abort(new Error("enough")), 1);
  await rejects(async () => {
    for (;;) await count(find(view, { name: "x", signal }));
  }, /enough/);
});

async function count(
  items: AsyncIterable<unknown>,
): Promise<number> {
  let count = 0;
  for await (const _ of items) count++;
  return count;
}
