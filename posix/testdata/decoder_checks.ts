// What decoders of the system must do, on Deno and Node.
import assert from "node:assert/strict";
import { nativeDecoders } from "../decoders.ts";

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
  if (lz4 !== undefined) {
    assert.match(lz4.name, /^liblz4 [0-9]+\.[0-9]+\.[0-9]+$/);
    checkDecoder(lz4.decode, LZ4_BLOCK);
  }
  if (zstd !== undefined) {
    assert.match(zstd.name, /^libzstd [0-9]+\.[0-9]+\.[0-9]+$/);
    checkDecoder(zstd.decode, ZSTD_FRAME);
  }
  const absent = [lz4 ?? "no liblz4", zstd ?? "no libzstd"]
    .filter((one) => typeof one === "string");
  if (absent.length > 0) return absent.join(", ");
}

function checkDecoder(
  decode: (stored: Uint8Array, out: Uint8Array) => number,
  stored: Uint8Array,
): void {
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
