// Snapshots to and from a server, over HTTP and over a pipe, past a proxy.
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { save } from "@snap/save";
import type { Snapshots } from "@snap/snapshot";
import type { NamedRecord } from "@snap/snapshot/records";
import { StoreError, type WriteStore } from "@snap/store";
import { openHttpStore, openPipeStore } from "@snap/store/http";
import { servePipe, serveStore } from "@snap/store/serve";
import { remotePeer, storePeer, sync, systemEnv } from "@snap/sync";
import { syncHandler } from "@snap/sync/serve";
import { seededTest } from "./_prng.ts";
import { LATER, makeTree } from "./_saves.ts";
import {
  checkSame,
  makeMemorySnapshots,
  namesIn,
  noise,
  TemporaryFolder,
} from "./_snapshots.ts";

const token = "a-long-and-random-token";
const tooLarge = { status: 413 };
const env = { ...systemEnv, sleep: () => Promise.resolve() };

/** Saves some files, and one that takes several messages. */
async function saveOne(
  snapshots: Snapshots<WriteStore>,
): Promise<NamedRecord> {
  using folder = new TemporaryFolder();
  makeTree(folder.join("tree"));
  Deno.writeFileSync(folder.join("tree/large"), noise(6_000_000, 4));
  const { record } = await save(snapshots, folder.join("tree"), LATER);
  return record!;
}

Deno.test("snapshots go over HTTP past a proxy that takes 1 MiB, and come back", async () => {
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  await using c = await makeMemorySnapshots();
  const record = await saveOne(a);
  const stop = new AbortController();
  const handler = serveStore(b.store, {
    access: { tokens: [{ token, right: "append" }] },
    exchange: syncHandler(b.store, { hasher }),
    signal: stop.signal,
  });
  let largest = 0, refused = 0;
  const proxy = (url: string | URL | Request, init?: RequestInit) => {
    const size = (init?.body as Uint8Array | undefined)?.length ?? 0;
    if (size > 1 << 20) {
      refused++;
      return Promise.resolve(new Response("<html>413</html>", { status: 413 }));
    }
    largest = Math.max(largest, size);
    return handler(new Request(url, init));
  };
  const options = { token, fetch: proxy as typeof fetch };
  await using store = await openHttpStore("http://localhost/", options);
  const server = remotePeer(store, { hasher });
  const here = storePeer(a.store, { hasher });
  const pushed = await sync(here, server, { env });
  deepStrictEqual([pushed.recordsCopied, pushed.errors], [1, []]);
  ok(refused > 0 && largest > 500_000, `${refused} ${largest}`);
  await checkSame(a, b, record);
  // One of contents, one of trees, one of recipes, whatever the proxy takes at once.
  strictEqual((await namesIn(b.store, "packs/")).length, 3);
  const there = storePeer(c.store, { hasher });
  const pulled = await sync(there, server, { env, push: false });
  deepStrictEqual([pulled.recordsCopied, pulled.errors], [1, []]);
  await checkSame(a, c, record);
  stop.abort();
  await handler.drained;
});

seededTest(
  "snapshots go past a proxy that takes 1 MiB, drops, repeats and gives up, both ways",
  async (prng) => {
    await using a = await makeMemorySnapshots();
    await using b = await makeMemorySnapshots();
    await using c = await makeMemorySnapshots();
    const record = await saveOne(a);
    const stop = new AbortController();
    const handler = serveStore(b.store, {
      access: { tokens: [{ token, right: "append" }] },
      // So little time that much goes on in the next request.
      exchange: syncHandler(b.store, { hasher, workMs: 0 }),
      signal: stop.signal,
    });
    let isOpen = false, count = prng.below(5);
    const proxy = async (url: string | URL | Request, init?: RequestInit) => {
      const size = (init?.body as Uint8Array | undefined)?.length ?? 0;
      if (size > 1 << 20) return new Response("", tooLarge);
      // What takes too long is given up.
      if (size > 1 << 19) return new Response("<html>504", { status: 504 });
      const answer = () => handler(new Request(url, init));
      if (!isOpen || ++count % 5 > 0) return await answer();
      const fault = prng.pick(["drop", "twice", "lose"] as const);
      if (fault !== "drop") await (await answer()).body?.cancel();
      if (fault === "twice") return await answer();
      throw new TypeError("connection reset");
    };
    const options = { token, fetch: proxy as typeof fetch };
    await using store = await openHttpStore("http://localhost/", options);
    isOpen = true;
    const server = remotePeer(store, { hasher });
    const here = storePeer(a.store, { hasher });
    const pushed = await sync(here, server, { env });
    deepStrictEqual([pushed.recordsCopied, pushed.errors], [1, []]);
    await checkSame(a, b, record);
    const there = storePeer(c.store, { hasher });
    const pulled = await sync(there, server, { env, push: false });
    deepStrictEqual([pulled.recordsCopied, pulled.errors], [1, []]);
    await checkSame(a, c, record);
    ok(count > 15, `${count} requests`);
    stop.abort();
    await handler.drained;
  },
  { roundCount: 3 },
);

Deno.test("a proxy that takes too little is told of, after a few requests", async () => {
  await using a = await makeMemorySnapshots();
  const record = await saveOne(a);
  let refusedCount = 0;
  for (let sizeMax = 8 << 10; sizeMax <= 128 << 10; sizeMax *= 2) {
    await using b = await makeMemorySnapshots();
    const stop = new AbortController();
    const handler = serveStore(b.store, {
      access: { tokens: [{ token, right: "append" }] },
      exchange: syncHandler(b.store, { hasher }),
      signal: stop.signal,
    });
    let count = 0;
    const proxy = (url: string | URL | Request, init?: RequestInit) => {
      count++;
      const size = (init?.body as Uint8Array | undefined)?.length ?? 0;
      if (size > sizeMax) return Promise.resolve(new Response("", tooLarge));
      return handler(new Request(url, init));
    };
    const options = { token, fetch: proxy as typeof fetch };
    await using store = await openHttpStore("http://localhost/", options);
    const here = storePeer(a.store, { hasher });
    try {
      await sync(here, remotePeer(store, { hasher }), { env });
      await checkSame(a, b, record);
    } catch (error) {
      ok(error instanceof StoreError && error.code === "TOOLARGE", `${error}`);
      refusedCount++;
    }
    ok(count < 1000, `${count} requests`);
    stop.abort();
    await handler.drained;
  }
  ok(refusedCount > 0 && refusedCount < 5, `${refusedCount} refused`);
});

Deno.test("snapshots go over a pipe, and come back", async () => {
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  await using c = await makeMemorySnapshots();
  const record = await saveOne(a);
  const up = new TransformStream<Uint8Array, Uint8Array>();
  const down = new TransformStream<Uint8Array, Uint8Array>();
  const served = servePipe(
    b.store,
    { readable: up.readable, writable: down.writable },
    { right: "append", exchange: syncHandler(b.store, { hasher }) },
  );
  const pipe = { readable: down.readable, writable: up.writable };
  const store = await openPipeStore(pipe);
  const server = remotePeer(store, { hasher });
  const pushed = await sync(storePeer(a.store, { hasher }), server);
  deepStrictEqual([pushed.recordsCopied, pushed.errors], [1, []]);
  await checkSame(a, b, record);
  const pulled = await sync(storePeer(c.store, { hasher }), server);
  strictEqual(pulled.recordsCopied, 1);
  await checkSame(a, c, record);
  await store[Symbol.asyncDispose]();
  await served;
});
