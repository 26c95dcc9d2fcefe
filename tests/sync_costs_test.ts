// What a sync costs: requests, bytes, and round trips, which are counted without a clock.
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { prune } from "@snap/maintenance/prune";
import { save } from "@snap/save";
import type { Snapshots } from "@snap/snapshot";
import type { PruneStore } from "@snap/store";
import { initStore } from "@snap/store/format";
import { MemoryStore } from "@snap/store/memory";
import {
  clone,
  type Peer,
  remotePeer,
  storePeer,
  sync,
  systemEnv,
  type Transport,
} from "@snap/sync";
import { syncHandler } from "@snap/sync/serve";
import {
  memoryTransport,
  type MockTransport,
  mockTransport,
} from "@snap/sync/testing";
import { FarStore, Waves } from "./_far_store.ts";
import { LATER, makeTree } from "./_saves.ts";
import {
  checkSame,
  makeMemorySnapshots,
  namesIn,
  noise,
  open,
  readSnapshot,
  sameEntries,
  TemporaryFolder,
} from "./_snapshots.ts";
import { NO_TOTALS, type TestRoot, TestSnapshots } from "./_test_snapshots.ts";

const HOUR_MS = 3_600_000;
/** Does not wait. */
const env = { ...systemEnv, sleep: () => Promise.resolve() };

function local(store: PruneStore): Peer {
  return storePeer(store, { hasher });
}

function remote(transport: Transport): Peer {
  return remotePeer(transport, { hasher });
}

/** A way to a server, which keeps what passes. */
function line(store: PruneStore): MockTransport {
  const handler = syncHandler(store, { hasher });
  const { signal } = new AbortController();
  return mockTransport(
    memoryTransport((request) => handler(request, { right: "prune", signal })),
  );
}

/** Bytes that went to a server and came back. */
function bytesOf({ passed }: MockTransport): { up: number; down: number } {
  let up = 0, down = 0;
  for (const { request, answer } of passed) {
    up += request.length;
    down += answer!.length;
  }
  return { up, down };
}

async function storedSize(store: PruneStore): Promise<number> {
  let size = 0;
  for await (const batch of store.list("packs/")) {
    for (const one of batch) size += one.size;
  }
  return size;
}

const FILES_A_DIRECTORY = 100;
/** A million files, in directories of a hundred, and the directories above them. */
const MILLION = {
  ...NO_TOTALS,
  fileCount: FILES_A_DIRECTORY ** 3,
  entryCount: FILES_A_DIRECTORY ** 3 + FILES_A_DIRECTORY ** 2 +
    FILES_A_DIRECTORY,
};

/** Directories of a million files that are much alike, or with one of them changed. */
function millionFiles(test: TestSnapshots, one: string): TestRoot {
  const names = Array.from(
    { length: FILES_A_DIRECTORY },
    (_, i) => `file-${i}`,
  );
  const leaf = (content: string): TestRoot =>
    test.addDirectory(Object.fromEntries(
      names.map((name, i) => [name, { file: i === 0 ? content : name }]),
    ));
  const above = (usual: TestRoot, other: TestRoot): TestRoot =>
    test.addDirectory(Object.fromEntries(
      names.map((name, i) => [name, { built: i === 50 ? other : usual }]),
    ));
  const usual = leaf("unchanged"), changed = leaf(one);
  const usualAbove = above(usual, usual);
  return above(usualAbove, above(usual, changed));
}

Deno.test("one file of a million that changes costs a few requests of little, both ways", async () => {
  const test = new TestSnapshots();
  const roots = ["before", "after"].map((one) => millionFiles(test, one));
  await test.flush();
  await test.addRecord(roots[0], { totals: MILLION });
  await using a = await test.open();
  await using b = await makeMemorySnapshots();
  await using c = await makeMemorySnapshots();
  await using d = await makeMemorySnapshots();
  const others = [b, c, d];
  for (const { store } of others) {
    await sync(local(a.store), local(store), { env });
  }
  const record = await test.addRecord(roots[1], { totals: MILLION });

  const up = line(b.store);
  const pushed = await sync(local(a.store), remote(up), { env });
  // hello, missing, put, commit, lease
  deepStrictEqual([pushed.errors, pushed.requests], [[], 5]);
  const down = line(a.store);
  const pulled = await sync(local(c.store), remote(down), { env });
  // hello, get records, get below
  deepStrictEqual([pulled.errors, pulled.requests], [[], 3]);
  for (const bytes of [bytesOf(up), bytesOf(down)]) {
    ok(bytes.up + bytes.down < 64_000, JSON.stringify(bytes));
  }

  const far = new FarStore(d.store);
  const put = await sync(local(a.store), local(far), { env });
  deepStrictEqual([put.errors, put.recordsCopied], [[], 1]);
  // Some of them are for the lease, so that nobody removes what is relied on.
  strictEqual(far.callCount, 18);
  for (const { store } of others) {
    const names = await namesIn(store, "snapshots/");
    ok(names.some((name) => name.includes(record.record)));
  }
});

/** A store of many small files and large ones, that takes several messages. */
async function makeMany(
  folder: TemporaryFolder,
): Promise<Snapshots<MemoryStore>> {
  const path = folder.join("tree");
  makeTree(path);
  for (let i = 0; i < 40; i++) {
    const below = `${path}/${i}/deep/er`;
    mkdirSync(below, { recursive: true });
    for (let j = 0; j < 50; j++) {
      writeFileSync(`${below}/${j}`, noise(5000, 50 * i + j + 1));
    }
  }
  writeFileSync(`${path}/noise`, noise(30_000_000, 9999));
  const a = await makeMemorySnapshots();
  await save(a, path, LATER);
  return a;
}

Deno.test("a store of many files and large ones is brought by few requests, and few of them wait for another", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMany(folder);
  const size = await storedSize(a.store);
  const [record] = await a.records();

  // A clone from a server.
  const waves = new Waves();
  const passed = line(a.store);
  const into = new MemoryStore();
  await clone(
    remote({
      location: "far away",
      exchange: async (request, options) => {
        await waves.wave();
        return await passed.exchange(request, options);
      },
    }),
    into,
    { hasher, env },
  );
  const { up, down } = bytesOf(passed);
  ok(down < 1.01 * size && up < size / 100, `${up} ${down} of ${size}`);
  // Where an answer takes 50 ms, a second is 20 of them.
  ok(waves.waveCount <= 16, `${waves.waveCount} waves`);

  // From one bucket into another.
  const from = new FarStore(a.store), to = new FarStore(new MemoryStore());
  await initStore(to);
  to.reset();
  await sync(local(from), local(to), { env });
  const eighths = Math.ceil(size / (8 << 20));
  const packCount = (await namesIn(a.store, "packs/")).length;
  ok(from.readByteCount < 1.1 * size, `${from.readByteCount}`);
  ok(from.readCount <= 3 * (eighths + packCount), `${from.readCount} reads`);
  ok(from.waveCount <= 30, `${from.waveCount} waves`);
  ok(to.callCount <= 20, `${to.callCount} calls`);

  const wanted = await readSnapshot(a, record);
  for (const store of [into, to]) {
    await using there = await open(store);
    sameEntries(await readSnapshot(there, record), wanted);
  }
});

Deno.test("packs of many nights become few when there is a prune", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  const path = folder.join("tree");
  makeTree(path);
  const nights = 40;
  for (let night = 1; night <= nights; night++) {
    writeFileSync(`${path}/night`, noise(1000, night));
    await save(a, path, LATER);
    await sync(local(a.store), remote(line(b.store)), { env });
  }
  ok((await namesIn(b.store, "packs/")).length >= 2 * nights);
  for (const hours of [1, 2]) {
    await prune(b, { now: () => Date.now() + hours * HOUR_MS });
  }
  const left = await namesIn(b.store, "packs/");
  ok(left.length <= 20, `${left.length} packs`);
  const records = await a.records();
  strictEqual(records.length, nights);
  for (const record of records) await checkSame(a, b, record);
});
