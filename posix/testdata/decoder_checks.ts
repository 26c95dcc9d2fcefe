// What decoders and encoders of the system must do, on Deno and Node.
import assert from "node:assert/strict";
import { nativeDecoders, nativeEncoders } from "../decoders.ts";

const PLAIN = new TextEncoder().encode("snap");
/** Four literals. */
const LZ4_BLOCK = Uint8Array.of(0x40, ...PLAIN);
/** One raw block of four bytes in a frame that says so. */
const ZSTD_FRAME = Uint8Array.from(
  [0x28, 0xb5, 0x2f, 0xfd, 0x20, 4, 0x21, 0, 0, ...PLAIN],
);

/** Checks the decoders that are there, and returns the names of those that are not. */
export function checkDecoders(): string | void {
  const { lz4, zstd } = nativeDecoders;
  if (lz4.name !== undefined) {
    assert.match(lz4.name, /^liblz4 [0-9]+\.[0-9]+\.[0-9]+$/);
    checkDecoder(lz4.decode, LZ4_BLOCK);
    checkEncoder(lz4.decode);
  }
  if (zstd.name !== undefined) {
    assert.match(zstd.name, /^libzstd [0-9]+\.[0-9]+\.[0-9]+$/);
    checkDecoder(zstd.decode, ZSTD_FRAME);
  }
  const absent = [lz4.name ?? "no liblz4", zstd.name ?? "no libzstd"]
    .filter((name) => name.startsWith("no "));
  if (absent.length > 0) return absent.join(", ");
}

type Code = (from: Uint8Array, to: Uint8Array) => number;

function checkDecoder(decode: Code, stored: Uint8Array): void {
  for (const Memory of [ArrayBuffer, SharedArrayBuffer]) {
    const memory = new Uint8Array(new Memory(12));
    // Thrice, as what fails must leave nothing behind.
    for (let round = 0; round < 3; round++) {
      memory.fill(0xa5);
      assert.equal(decode(stored, memory.subarray(4, 8)), 4);
      assert.deepEqual(memory.slice(4, 8), PLAIN);
      assert(decode(stored, memory.subarray(4, 7)) < 0);
      assert(decode(stored.subarray(0, -1), memory.subarray(4, 8)) < 4);
      assert.deepEqual(memory.slice(0, 4), new Uint8Array(4).fill(0xa5));
      assert.deepEqual(memory.slice(8), new Uint8Array(4).fill(0xa5));
    }
  }
}

function checkEncoder(decode: Code): void {
  const plain = new Uint8Array(1 << 20).map((_, i) => i * i >> 4);
  const stored = new Uint8Array(1 << 20);
  const { encode } = nativeEncoders.lz4;
  const size = encode(plain, stored);
  assert(size > 0 && size < plain.length, String(size));
  const out = new Uint8Array(plain.length);
  assert.equal(decode(stored.subarray(0, size), out), out.length);
  assert.deepEqual(out, plain);
  assert.equal(encode(plain, stored.subarray(0, size - 1)), 0);
}
