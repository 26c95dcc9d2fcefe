import { equal, ok, rejects } from "node:assert/strict";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { idOf, Random } from "../_testing.ts";
import { lz4Codec } from "../codec/lz4_codec.ts";
import { type PackedBytes, PackStream } from "./pack_stream.ts";

const OPTIONS = {
  role: 1,
  saveId: new Uint8Array(16),
  codec: lz4Codec,
  hasher: wasmHasher,
} as const;

async function pack(
  batches: Uint8Array[][],
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

Deno.test("PackStream fails with an object above 4 MiB", async () => {
  await rejects(pack([[new Uint8Array((4 << 20) + 1)]]), RangeError);
});
