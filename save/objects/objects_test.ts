import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { hashStream } from "@snap/hash";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { ObjectNotFoundError } from "@snap/pack";
import { StoreError } from "@snap/store";
import { MemoryStore } from "@snap/store/memory";
import { FaultStore } from "@snap/store/testing";
import { latin, noise } from "../../tests/_test_bytes.ts";
import { openObjects } from "./objects.ts";

async function bytesOf(stream: ReadableStream<Uint8Array>) {
  return await new Response(stream as ReadableStream<BufferSource>).bytes();
}

/** Pieces of bytes, as a stream that does not know how many come. */
async function* piecesOf(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.subarray(at, at + size);
  }
}

Deno.test("objects come back, whatever they were given as", async () => {
  const store = new MemoryStore();
  const large = noise(7, 9_000_000);
  {
    await using objects = await openObjects(store, { hasher });
    for (const bytes of [new Uint8Array(0), latin("small"), large]) {
      const id = hasher.idOf(bytes);
      ok(!await objects.has(id) || bytes.length === 0);
      strictEqual(await objects.put(bytes), id);
      strictEqual(await objects.put(new Blob([bytes])), id);
      strictEqual(await objects.put(piecesOf(bytes, 70_001)), id);
      ok(await objects.has(id));
      deepStrictEqual(await bytesOf(await objects.get(id)), bytes);
    }
  }
  const other = await openObjects(store, { hasher });
  const id = hasher.idOf(large);
  const part = await readRange(other, id, 4_000_000, 100);
  deepStrictEqual(part, large.subarray(4_000_000, 4_000_100));
  strictEqual(await hashStream(await other.get(id), hasher), id);
  const none = hasher.idOf(latin("none"));
  await rejects(other.get(none), ObjectNotFoundError);
  strictEqual(await other.has(none), false);
  await rejects(other.get(id, { offset: -1 }), RangeError);
  await other.close();
});

async function readRange(
  from: Awaited<ReturnType<typeof openObjects>>,
  id: Parameters<typeof from.get>[0],
  offset: number,
  length: number,
) {
  return await bytesOf(await from.get(id, { offset, length }));
}

Deno.test("objects that are put at once do not mix, and one that fails harms no other", async () => {
  await using objects = await openObjects(new MemoryStore(), { hasher });
  const contents = Array.from({ length: 8 }, (_, i) => noise(i, 3_000_000));
  async function* broken() {
    yield noise(20, 6_000_000);
    throw new Error("the source went away");
  }
  const puts = contents.map((one, i) =>
    objects.put(i % 2 ? piecesOf(one, 999_999) : one)
  );
  const failing = rejects(objects.put(broken()), /went away/);
  const last = objects.put(latin("last"));
  const ids = await Promise.all(puts);
  await failing;
  for (const [i, id] of ids.entries()) {
    deepStrictEqual(await bytesOf(await objects.get(id)), contents[i]);
  }
  deepStrictEqual(await bytesOf(await objects.get(await last)), latin("last"));
});

Deno.test("a flush that fails says so, and objects can be put again", async () => {
  const inner = new MemoryStore();
  await (await openObjects(inner, { hasher })).close();
  const at = [{ call: 1, fault: "error" as const }];
  const store = new FaultStore(inner, { at, actions: ["adopt"] });
  const objects = await openObjects(store, { hasher });
  const id = await objects.put(latin("one"));
  await rejects(objects.flush(), StoreError);
  strictEqual(await objects.has(id), false);
  await objects.put(latin("one"));
  await objects.flush();
  ok(await objects.has(id));
  await objects.close();
});
