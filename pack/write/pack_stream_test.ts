import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { ChunkStream } from "@snap/hash/chunk";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { idOf, Random } from "../_testing.ts";
import { lz4Codec } from "../codec/lz4_codec.ts";
import { MemoryStore } from "@snap/store/memory";
import { buildIndex } from "../index_writer/mod.ts";
import { packName } from "../file_name.ts";
import { openStoreReader } from "../read/mod.ts";
import {
  type PackedBytes,
  PackStream,
  type StreamedObject,
} from "./pack_stream.ts";

const OPTIONS = {
  role: 1,
  saveId: new Uint8Array(16),
  codec: lz4Codec,
  hasher: wasmHasher,
} as const;

async function pack(
  batches: StreamedObject[][],
  sizes: { packSize?: number; frameSize?: number } = {},
): Promise<PackedBytes[]> {
  const stream = ReadableStream.from(batches).pipeThrough(
    new PackStream({ ...OPTIONS, ...sizes }),
  );
  return await Array.fromAsync(stream);
}

Deno.test("PackStream packs all that comes, and no more than a pack holds", async () => {
  const random = new Random(4);
  const batches = Array.from(
    { length: 30 },
    () =>
      Array.from(
        { length: random.below(20) },
        () => random.bytes(random.below(900)),
      ),
  );
  const packs = await pack(batches, { packSize: 20_000, frameSize: 2_000 });
  ok(packs.length > 3);
  for (const { size, parts, id, table } of packs) {
    ok(size < 40_000);
    const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
    equal(bytes.length, size);
    equal(idOf(bytes).toHex(), id.toHex());
    ok(table.frameCount > 1);
  }
  for (const plain of batches.flat().filter(({ length }) => length > 0)) {
    ok(packs.some(({ table }) => table.find(idOf(plain), 0, 1) >= 0));
  }
});

Deno.test("PackStream makes no pack of nothing", async () => {
  equal((await pack([])).length, 0);
  equal((await pack([[], [new Uint8Array(0)]])).length, 0);
});

Deno.test("PackStream puts a large object into a frame of its own", async () => {
  const random = new Random(4);
  const [{ table }] = await pack([[
    random.bytes(10),
    random.bytes(5000),
    random.bytes(10),
  ]], { frameSize: 1000 });
  equal(table.frameCount, 3);
});

/** Noise, a hole, and noise: 24 MiB, in pieces that are gone when the next is asked for. */
async function* largeObject(seen?: (size: number) => void) {
  const random = new Random(5);
  const piece = new Uint8Array(1 << 20);
  for (let i = 0; i < 24; i++) {
    if (i < 8 || i > 16) piece.set(random.bytes(piece.length));
    else piece.fill(0);
    seen?.(piece.length);
    yield piece;
    piece.fill(1);
  }
}

async function bytesOf(
  pieces: AsyncIterable<Uint8Array>,
): Promise<Uint8Array<ArrayBuffer>> {
  const copies: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of pieces) copies.push(piece.slice());
  return await new Blob(copies).bytes();
}

Deno.test("PackStream cuts what no frame has room for, and a reader puts it together", async () => {
  const large = await bytesOf(largeObject());
  const zeros = new Uint8Array((4 << 20) + 1);
  const whole = large.subarray(0, 4 << 20);
  const none = new Uint8Array(0);
  const packs = await pack([
    [whole],
    [largeObject(), ReadableStream.from([whole.subarray(0, 5), none])],
    [zeros, ReadableStream.from([none])],
  ]);
  equal(packs.map(({ role }) => role).join(), "1,2");
  const store = new MemoryStore();
  for (const { id, parts } of packs) {
    await store.create(packName(id), await new Blob(parts).bytes());
  }
  const salt = new Uint8Array(32);
  const { saveId, hasher } = OPTIONS;
  const [index] = buildIndex(packs, { saveId, salt, hasher, timeMs: 0 });
  await store.create(index.name, index.bytes);
  await using reader = await openStoreReader(store, { hasher });
  for (const bytes of [large, whole, whole.subarray(0, 5), zeros]) {
    const content = await reader.openContent(idOf(bytes), bytes.length);
    deepEqual(await content.read(0, bytes.length), bytes);
  }
  // As the writer of a store cuts it, so that both share chunks.
  const [{ table }] = packs, [inOnePiece] = await pack([[large]]);
  for await (
    const chunks of ReadableStream.from([large]).pipeThrough(new ChunkStream())
  ) {
    for (const chunk of chunks) {
      const isStored = chunk.some((byte) => byte !== 0);
      equal(table.find(idOf(chunk), 0, 1) >= 0, isStored);
      equal(inOnePiece.table.find(idOf(chunk), 0, 1) >= 0, isStored);
    }
  }
});

Deno.test("PackStream reads no further ahead of its reader than a pack, also within an object", async () => {
  let read = 0, packed = 0;
  const object = largeObject((size) => read += size);
  const stream = ReadableStream.from([[object]])
    .pipeThrough(new PackStream({ ...OPTIONS, packSize: 1 << 20 }));
  for await (const { size, role } of stream) {
    packed += size;
    // Zeros have no bytes in a pack.
    if (role === 1) ok(read - packed < (9 << 20) + (6 << 20), `${read}`);
    await new Promise((resolve) => setTimeout(resolve));
  }
  equal(read, 24 << 20);
});

Deno.test("PackStream fails with an object that fails, and tells one that is not wanted", async () => {
  const broken = async function* () {
    yield new Uint8Array(5 << 20);
    throw new Error("the source went away");
  };
  await rejects(pack([[broken()]]), /went away/);
  const text = ["text"] as unknown as Uint8Array[];
  await rejects(pack([text]), TypeError);
  let isTold = false;
  const endless = async function* () {
    try {
      for (let i = 0;; i++) yield new Random(i).bytes(1 << 20);
    } finally {
      isTold = true;
    }
  };
  const packs = ReadableStream.from([[endless()]])
    .pipeThrough(new PackStream({ ...OPTIONS, packSize: 1 << 20 }));
  for await (const _ of packs) break;
  ok(isTold);
});
