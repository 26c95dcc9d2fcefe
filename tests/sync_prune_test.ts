// A push to a server beside prune: whichever is faster, what the server says it has is there.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { prune } from "@snap/maintenance/prune";
import { OvertakenError } from "@snap/pack";
import { save } from "@snap/save";
import type { Snapshots } from "@snap/snapshot";
import type { NamedRecord } from "@snap/snapshot/records";
import { verify } from "@snap/snapshot/verify";
import type { MemoryStore } from "@snap/store/memory";
import { listLeases } from "@snap/store/removal";
import { remotePeer, storePeer, sync, systemEnv } from "@snap/sync";
import { decodeMessage, Verb } from "@snap/sync/protocol";
import { syncHandler } from "@snap/sync/serve";
import { memoryTransport, mockTransport } from "@snap/sync/testing";
import { LATER, makeTree } from "./_saves.ts";
import {
  makeMemorySnapshots,
  namesIn,
  readSnapshot,
  sameEntries,
  TemporaryFolder,
} from "./_snapshots.ts";

const HOUR_MS = 3_600_000;
/** Does not wait. */
const env = { ...systemEnv, sleep: () => Promise.resolve() };

type Made = Snapshots<MemoryStore>;

/** A place in a push at which something else is done. */
interface Moment {
  /** Before the request of this number. */
  readonly request?: number;
  /** When all was looked up that a record needs, before it is written. */
  readonly isBeforeRecord?: boolean;
  readonly work: () => Promise<void>;
}

/** Pushes all of a store to another; returns the number of requests. */
async function push(a: Made, b: Made, moment?: Moment): Promise<number> {
  let isDone = false, number = 0;
  const store = new Proxy(b.store, {
    get(target, key) {
      const value = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      if (key !== "sync" || !moment?.isBeforeRecord) return value.bind(target);
      return async () => {
        if (!isDone) await moment.work();
        isDone = true;
      };
    },
  });
  const handler = syncHandler(store, { hasher });
  const exchange = async (body: Uint8Array): Promise<Uint8Array> => {
    if (number++ === moment?.request) await moment.work();
    const { signal } = new AbortController();
    return await handler(body.slice(), { right: "append", signal });
  };
  const peer = remotePeer({ location: "the server", exchange }, { hasher });
  await sync(storePeer(a.store, { hasher }), peer, { env, pull: false });
  return number;
}

/** Prunes as if it were some hours later; returns how many saves it took for dead. */
async function pruneAt(b: Made, hours: number): Promise<number> {
  const now = (): number => Date.now() + hours * HOUR_MS;
  return (await prune(b, { now })).voidCount;
}

/** Sees that a record is whole, also when all has gone that nothing needs. */
async function checkPruned(
  a: Made,
  b: Made,
  record: NamedRecord,
): Promise<void> {
  await pruneAt(b, 2);
  await pruneAt(b, 4);
  await b.refresh();
  equal((await b.records()).length, 1);
  sameEntries(await readSnapshot(b, record), await readSnapshot(a, record));
  deepEqual((await verify(b, { data: true })).damages, []);
  deepEqual([...(await listLeases(b.store)).keys()], []);
}

/** A server that has all of a store, but nothing that needs it. */
async function withoutRecords(a: Made, b: Made): Promise<void> {
  await push(a, b);
  for (const name of await namesIn(b.store, "snapshots/")) {
    await b.store.remove(name);
  }
}

async function makeOne(): Promise<{ a: Made; record: NamedRecord }> {
  using folder = new TemporaryFolder();
  const path = folder.join("tree");
  makeTree(path);
  const a = await makeMemorySnapshots();
  const { record } = await save(a, path, LATER);
  return { a, record: record! };
}

Deno.test("a push is whole with prune before any of its requests", async () => {
  const { a, record } = await makeOne();
  await using _ = a;
  for (const isHeld of [true, false]) {
    let count = 1;
    for (let request = 0; request < count; request++) {
      await using b = await makeMemorySnapshots();
      if (isHeld) await withoutRecords(a, b);
      const work = async (): Promise<void> => void await pruneAt(b, 0);
      count = await push(a, b, { request, work });
      await checkPruned(a, b, record);
    }
    ok(count >= 4);
  }
});

Deno.test("prune waits for a push that is about to write its record", async () => {
  const { a, record } = await makeOne();
  await using _ = a;
  await using b = await makeMemorySnapshots();
  await withoutRecords(a, b);
  const packs = await namesIn(b.store, "packs/");
  const work = async (): Promise<void> => {
    await pruneAt(b, 0);
    deepEqual(await namesIn(b.store, "packs/"), packs);
  };
  await push(a, b, { isBeforeRecord: true, work });
  await checkPruned(a, b, record);
});

Deno.test("a push that prune takes for dead begins again, and is whole", async () => {
  const { a, record } = await makeOne();
  await using _ = a;
  await using b = await makeMemorySnapshots();
  await withoutRecords(a, b);
  let voided = 0;
  const work = async (): Promise<void> => {
    await pruneAt(b, 0);
    voided = await pruneAt(b, 1);
    deepEqual(await namesIn(b.store, "packs/"), []);
  };
  await push(a, b, { isBeforeRecord: true, work });
  equal(voided, 1);
  await checkPruned(a, b, record);
});

/** A store in which something is done before a record is created, once. */
function beforeRecord<T extends MemoryStore>(
  store: T,
  work: () => Promise<void>,
): T {
  let isDone = false;
  return new Proxy(store, {
    get(target, key) {
      const value = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      if (key !== "create") return value.bind(target);
      return async (name: string, ...rest: unknown[]) => {
        const isFirst = name.startsWith("snapshots/") && !isDone;
        if (isFirst) isDone = true;
        if (isFirst) await work();
        return await value.call(target, name, ...rest);
      };
    },
  });
}

Deno.test("a copy that slept while prune took it for dead fails, and no record of it counts", async () => {
  const { a, record } = await makeOne();
  await using _ = a;
  await using b = await makeMemorySnapshots();
  let voided = 0;
  const store = beforeRecord(b.store, async () => {
    voided = await pruneAt(b, 1) + await pruneAt(b, 2);
    deepEqual(await namesIn(b.store, "packs/"), []);
  });
  const copy = (to: MemoryStore) =>
    sync(storePeer(a.store, { hasher }), storePeer(to, { hasher }), {
      env,
      pull: false,
    });
  await rejects(copy(store), OvertakenError);
  equal(voided, 1);
  await b.refresh();
  deepEqual(await b.records(), []);
  await copy(b.store);
  await checkPruned(a, b, record);
});

Deno.test("a request that comes again after its session is closed adds nothing", async () => {
  const { a, record } = await makeOne();
  await using _ = a;
  await using b = await makeMemorySnapshots();
  const handler = syncHandler(b.store, { hasher });
  const answerOf = (request: Uint8Array): Promise<Uint8Array> => {
    const { signal } = new AbortController();
    return handler(request.slice(), { right: "append", signal });
  };
  const line = mockTransport(memoryTransport(answerOf));
  const peer = remotePeer(line, { hasher });
  await sync(storePeer(a.store, { hasher }), peer, { env, pull: false });
  await checkPruned(a, b, record);
  const names = await namesIn(b.store);
  let refused = 0;
  for (const { request } of line.passed) {
    const answer = decodeMessage(await answerOf(request), hasher);
    if (answer.verb !== Verb.put) continue;
    const { code } = JSON.parse(
      new TextDecoder().decode(answer.sections[0].bytes),
    );
    equal(code, "SESSION");
    refused++;
  }
  ok(refused > 0);
  deepEqual(await namesIn(b.store), names);
});
