import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { Prng, seededTest } from "../../tests/_prng.ts";
import { Chunker, type ChunkSizes, DEFAULT_CHUNK_SIZES } from "./chunker.ts";
import { ChunkStream } from "./chunk_stream.ts";

async function collect(
  pieces: Iterable<Uint8Array>,
  sizes?: ChunkSizes,
): Promise<Uint8Array[][]> {
  const stream = ReadableStream.from(pieces).pipeThrough(
    new ChunkStream(sizes),
  );
  return await Array.fromAsync(stream);
}

function sizesOf(batches: Uint8Array[][]): number[] {
  return batches.flat().map((chunk) => chunk.length);
}

seededTest(
  "ChunkStream cuts the same however its bytes are split",
  async (prng) => {
    const bytes = prng.bytes(prng.below(5 << 20));
    const expected: number[] = [];
    for (let start = 0, chunker = new Chunker(); start < bytes.length;) {
      const end = chunker.cut(bytes, start, bytes.length);
      expected.push(end - start);
      start = end;
    }
    const pieces: Uint8Array[] = [];
    const sizeMax = prng.pick([3000, 65_536, 1 << 20, 3 << 20]);
    for (let start = 0; start < bytes.length;) {
      const piece = bytes.subarray(start, start + prng.below(sizeMax));
      pieces.push(piece);
      start += piece.length;
    }
    const batches = await collect(pieces);
    deepStrictEqual(sizesOf(batches), expected);
    const joined = new Uint8Array(
      await new Blob(batches.flat() as BlobPart[]).arrayBuffer(),
    );
    deepStrictEqual(joined, bytes);
  },
  { roundCount: 10 },
);

Deno.test("ChunkStream has no chunk for empty content", async () => {
  deepStrictEqual(await collect([]), []);
  deepStrictEqual(await collect([new Uint8Array(), new Uint8Array()]), []);
});

Deno.test("ChunkStream cuts zeros at the largest size, over batches", async () => {
  const { sizeMax } = DEFAULT_CHUNK_SIZES;
  const batches = await collect([new Uint8Array(25 * sizeMax + 1)]);
  ok(batches.length > 1);
  deepStrictEqual(sizesOf(batches), [...Array(25).fill(sizeMax), 1]);
});

Deno.test("ChunkStream gives chunks that own their memory", async () => {
  const bytes = new Prng(5).bytes(300_000);
  const piece = bytes.slice();
  const stream = new ChunkStream();
  const writer = stream.writable.getWriter();
  const done = Promise.all([writer.write(piece), writer.close()]);
  const [chunks] = await Array.fromAsync(stream.readable);
  await done;
  piece.fill(0);
  strictEqual(chunks.length > 2, true);
  for (const chunk of chunks) {
    strictEqual(chunk.buffer.byteLength, chunk.length);
  }
  deepStrictEqual(chunks[0], bytes.slice(0, chunks[0].length));
});

Deno.test("ChunkStream takes chunks of 4 MiB", async () => {
  const sizes = {
    sizeMin: 1 << 20,
    sizeAverage: 2 << 20,
    sizeMax: 4 << 20,
    gearSeed: 0x9e3779b9,
  };
  const batches = await collect([new Uint8Array(9 << 20)], sizes);
  deepStrictEqual(sizesOf(batches), [4 << 20, 4 << 20, 1 << 20]);
});

Deno.test("ChunkStream refuses what Chunker refuses", () => {
  throws(
    () => new ChunkStream({ ...DEFAULT_CHUNK_SIZES, sizeMin: 1000 }),
    RangeError,
  );
});
