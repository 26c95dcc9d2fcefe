/**
 * BLAKE3 as its specification says it, without any concern for speed: what the
 * kernel is compared with where no other implementation can be asked.
 *
 * @module
 */

const IV = [
  0x6a09e667,
  0xbb67ae85,
  0x3c6ef372,
  0xa54ff53a,
  0x510e527f,
  0x9b05688c,
  0x1f83d9ab,
  0x5be0cd19,
];
const PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
const CHUNK_START = 1;
const CHUNK_END = 2;
const PARENT = 4;
const ROOT = 8;

type Words = number[];

function rotate(x: number, n: number): number {
  return x >>> n | x << (32 - n);
}

function mix(
  s: Words,
  [a, b, c, d]: Words,
  x: number,
  y: number,
): void {
  s[a] = s[a] + s[b] + x | 0;
  s[d] = rotate(s[d] ^ s[a], 16);
  s[c] = s[c] + s[d] | 0;
  s[b] = rotate(s[b] ^ s[c], 12);
  s[a] = s[a] + s[b] + y | 0;
  s[d] = rotate(s[d] ^ s[a], 8);
  s[c] = s[c] + s[d] | 0;
  s[b] = rotate(s[b] ^ s[c], 7);
}

function compress(
  value: Words,
  block: Words,
  counter: bigint,
  size: number,
  flags: number,
): Words {
  const low = Number(BigInt.asIntN(32, counter));
  const high = Number(BigInt.asIntN(32, counter >> 32n));
  const s = [...value, ...IV.slice(0, 4), low, high, size, flags];
  let m = block;
  for (let round = 0; round < 7; round++) {
    for (let i = 0; i < 4; i++) {
      mix(s, [i, 4 + i, 8 + i, 12 + i], m[2 * i], m[2 * i + 1]);
    }
    for (let i = 0; i < 4; i++) {
      const words = [i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4];
      mix(s, words, m[8 + 2 * i], m[9 + 2 * i]);
    }
    m = PERMUTATION.map((i) => m[i]);
  }
  return IV.map((_, i) => s[i] ^ s[i + 8]);
}

function wordsOf(bytes: Uint8Array): Words {
  const view = new DataView(new ArrayBuffer(64));
  bytes.forEach((byte, i) => view.setUint8(i, byte));
  return Array.from({ length: 16 }, (_, i) => view.getUint32(4 * i, true));
}

/**
 * Computes the chaining value of a subtree.
 *
 * @param bytes What is below it.
 * @param chunkCount Chunks before it.
 * @param flags 8 for the root of a whole tree, else 0.
 * @returns Its 32 bytes.
 */
export function referenceSubtree(
  bytes: Uint8Array,
  chunkCount: bigint,
  flags: number,
): Uint8Array {
  const out = new DataView(new ArrayBuffer(32));
  subtree(bytes, chunkCount, flags).forEach((word, i) =>
    out.setUint32(4 * i, word, true)
  );
  return new Uint8Array(out.buffer);
}

/** Hashes bytes in the mode that content is hashed in. */
export function referenceHash(bytes: Uint8Array): Uint8Array {
  return referenceSubtree(bytes, 0n, ROOT);
}

function subtree(bytes: Uint8Array, counter: bigint, root: number): Words {
  if (bytes.length <= 1024) {
    let value = IV;
    for (let i = 0; i === 0 || i < bytes.length; i += 64) {
      const block = bytes.subarray(i, i + 64);
      const flags = (i === 0 ? CHUNK_START : 0) |
        (i + 64 >= bytes.length ? CHUNK_END | root : 0);
      value = compress(value, wordsOf(block), counter, block.length, flags);
    }
    return value;
  }
  let size = 1024;
  while (2 * size < bytes.length) size *= 2;
  const left = subtree(bytes.subarray(0, size), counter, 0);
  const right = subtree(bytes.subarray(size), counter + BigInt(size >> 10), 0);
  return compress(IV, [...left, ...right], 0n, 64, PARENT | root);
}
