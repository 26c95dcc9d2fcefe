// Large content that has changed little: what is read again to prove it.
import { ok } from "node:assert/strict";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { SPAN_SIZE } from "@snap/hash/blake-span";
import type { NamedRecord } from "@snap/snapshot/records";
import type { MemoryStore } from "@snap/store/memory";
import { type Peer, remotePeer, storePeer, sync, systemEnv } from "@snap/sync";
import { syncHandler } from "@snap/sync/serve";
import { memoryTransport } from "@snap/sync/testing";
import { checkSame, makeMemorySnapshots, noise } from "./_snapshots.ts";
import { NO_TOTALS, TestSnapshots } from "./_test_snapshots.ts";

const CHUNK_SIZE = 1 << 20;
/** One span is full, the other has two chunks. */
const CHUNK_COUNT = SPAN_SIZE / CHUNK_SIZE + 2;
/** Does not wait. */
const env = { ...systemEnv, sleep: () => Promise.resolve() };

/** Saves one large file, whose last chunk is another each time. */
async function saveLarge(
  test: TestSnapshots,
  number: number,
): Promise<NamedRecord> {
  const noisy = noise(2 * CHUNK_SIZE, 1);
  // Chunks that overlap are as different as any, and cost less.
  const chunks = Array.from(
    { length: CHUNK_COUNT },
    (_, i) => noisy.subarray(i, i + CHUNK_SIZE),
  );
  chunks[CHUNK_COUNT - 1] = noise(CHUNK_SIZE, 1 + number);
  const totals = { ...NO_TOTALS, entryCount: 1 };
  return await test.save({ large: { chunks } }, { totals });
}

/** A store that counts the bytes that are read of its packs. */
function counted(store: MemoryStore): { store: MemoryStore; bytes: number } {
  const counter = {
    bytes: 0,
    store: new Proxy(store, {
      get(target, key) {
        const value = Reflect.get(target, key);
        if (typeof value !== "function") return value;
        if (key !== "read") return value.bind(target);
        return async (name: string, ...rest: unknown[]) => {
          const bytes = await value.call(target, name, ...rest);
          if (name.startsWith("packs/")) counter.bytes += bytes.length;
          return bytes;
        };
      },
    }),
  };
  return counter;
}

Deno.test("of large content that has changed little, little is read again to prove it", async () => {
  const test = new TestSnapshots();
  await saveLarge(test, 1);
  await using a = await test.open();
  await using b = await makeMemorySnapshots();
  await using c = await makeMemorySnapshots();
  const atServer = counted(b.store), here = counted(c.store);
  const server = (store: MemoryStore): Peer => {
    const handler = syncHandler(store, { hasher });
    const { signal } = new AbortController();
    return remotePeer(
      memoryTransport((body) => handler(body, { right: "append", signal })),
      { hasher },
    );
  };
  const [source, target] = [server(a.store), server(atServer.store)];
  const proofs = new Map<string, Uint8Array>();
  const near = storePeer(here.store, { hasher });
  const copy = async (): Promise<void> => {
    atServer.bytes = here.bytes = 0;
    await sync(storePeer(a.store, { hasher }), target, { env, pull: false });
    await sync(near, source, { env, push: false, proofs });
  };
  await copy();
  for (const { bytes } of [atServer, here]) ok(bytes > SPAN_SIZE, `${bytes}`);
  await saveLarge(test, 2);
  await copy();
  for (const { bytes } of [atServer, here]) {
    ok(bytes < SPAN_SIZE / 8, `${bytes}`);
  }

  // A proof that is not what it was only costs time.
  for (const value of proofs.values()) value.fill(0);
  const record = await saveLarge(test, 3);
  await copy();
  for (const copied of [b, c]) await checkSame(a, copied, record);
});
