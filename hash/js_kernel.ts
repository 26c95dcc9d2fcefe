import {
  Blake3Kernel,
  BLOCK_SIZE,
  INPUT,
  type KernelCode,
  OUT,
  PAIR,
} from "./blake3_kernel.ts";

const CHUNK_SIZE = 1024;
const CHUNK_START = 1;
const CHUNK_END = 2;
const PARENT = 4;
const IV = Int32Array.of(0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a);
/** Which word of the message a round takes in the place of each of the one before. */
const PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
const ROUNDS = 7;
/** The words of the message, in the order in which all rounds take them. */
const SCHEDULE = makeSchedule();

function makeSchedule(): Uint8Array {
  let order = PERMUTATION.map((_, i) => i);
  const all: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    all.push(...order);
    order = PERMUTATION.map((i) => order[i]);
  }
  return Uint8Array.from(all);
}

/** BLAKE3 for up to 64 chunks of 1 KiB, in JavaScript: as blake3.as, one lane. */
class JsCode implements KernelCode {
  readonly memory: { readonly buffer: ArrayBuffer } = {
    buffer: new ArrayBuffer(INPUT + BLOCK_SIZE),
  };
  readonly #words = new Int32Array(this.memory.buffer);
  readonly #bytes = new Uint8Array(this.memory.buffer);
  readonly #state = new Int32Array(16);
  readonly #message = new Int32Array(16);
  /** Chaining values of sub-trees that wait for their right sibling. */
  readonly #values = new Int32Array(8 * 7);

  subtree(
    size: number,
    key: number,
    flags: number,
    rootFlag: number,
    counterLow: number,
    counterHigh: number,
  ): void {
    const count = Math.max(1, Math.ceil(size / CHUNK_SIZE));
    let depth = 0;
    for (let i = 0; i < count; i++) {
      const isLast = i === count - 1;
      const start = i * CHUNK_SIZE;
      const part = isLast ? size - start : CHUNK_SIZE;
      const flag = count === 1 ? rootFlag : 0;
      this.#chunk(INPUT + start, part, key, {
        ...{ low: counterLow + i | 0, high: counterHigh },
        ...{ flags, last: flag },
      });
      if (isLast) break;
      for (let n = i + 1; n % 2 === 0; n /= 2) {
        this.#joinWaiting(--depth, key, flags);
      }
      this.#values.set(this.#out(), 8 * depth++);
    }
    while (depth > 0) {
      const flag = depth === 1 ? rootFlag : 0;
      this.#joinWaiting(--depth, key, flags | flag);
    }
  }

  parent(key: number, flags: number): void {
    const words = this.#words;
    this.#message.set(words.subarray(PAIR / 4, PAIR / 4 + 16));
    words.copyWithin(OUT / 4, key / 4, key / 4 + 8);
    this.#compress(0, 0, 64, flags | PARENT);
  }

  #out(): Int32Array {
    return this.#words.subarray(OUT / 4, OUT / 4 + 8);
  }

  /** Joins a value that waits with that in `out`. */
  #joinWaiting(depth: number, key: number, flags: number): void {
    const value = this.#values.subarray(8 * depth, 8 * depth + 8);
    this.#words.set(value, PAIR / 4);
    this.parent(key, flags);
  }

  #chunk(
    start: number,
    size: number,
    key: number,
    { low, high, flags, last }: {
      readonly low: number;
      readonly high: number;
      readonly flags: number;
      readonly last: number;
    },
  ): void {
    const words = this.#words, message = this.#message;
    words.copyWithin(OUT / 4, key / 4, key / 4 + 8);
    for (let at = 0; at === 0 || at < size; at += 64) {
      const rest = Math.min(size - at, 64);
      // What is above the content of the last block may be of a call before.
      if (rest < 64) this.#bytes.fill(0, start + at + rest, start + at + 64);
      const first = (start + at) / 4;
      for (let i = 0; i < 16; i++) message[i] = words[first + i];
      const isLast = at + 64 >= size;
      const flag = flags | (at === 0 ? CHUNK_START : 0) |
        (isLast ? CHUNK_END | last : 0);
      this.#compress(low, high, rest, flag);
    }
  }

  /** Compresses the message into the chaining value in `out`. */
  #compress(low: number, high: number, size: number, flags: number): void {
    const state = this.#state, message = this.#message, words = this.#words;
    for (let i = 0; i < 8; i++) state[i] = words[OUT / 4 + i];
    for (let i = 0; i < 4; i++) state[8 + i] = IV[i];
    state[12] = low;
    state[13] = high;
    state[14] = size;
    state[15] = flags;
    rounds(state, message);
    for (let i = 0; i < 8; i++) words[OUT / 4 + i] = state[i] ^ state[i + 8];
  }
}

function rounds(s: Int32Array, m: Int32Array): void {
  for (let at = 0; at < 16 * ROUNDS; at += 16) {
    mix(s, 0, 4, 8, 12, m[SCHEDULE[at]], m[SCHEDULE[at + 1]]);
    mix(s, 1, 5, 9, 13, m[SCHEDULE[at + 2]], m[SCHEDULE[at + 3]]);
    mix(s, 2, 6, 10, 14, m[SCHEDULE[at + 4]], m[SCHEDULE[at + 5]]);
    mix(s, 3, 7, 11, 15, m[SCHEDULE[at + 6]], m[SCHEDULE[at + 7]]);
    mix(s, 0, 5, 10, 15, m[SCHEDULE[at + 8]], m[SCHEDULE[at + 9]]);
    mix(s, 1, 6, 11, 12, m[SCHEDULE[at + 10]], m[SCHEDULE[at + 11]]);
    mix(s, 2, 7, 8, 13, m[SCHEDULE[at + 12]], m[SCHEDULE[at + 13]]);
    mix(s, 3, 4, 9, 14, m[SCHEDULE[at + 14]], m[SCHEDULE[at + 15]]);
  }
}

/** The mixing function of BLAKE3 on four words of the state. */
function mix(
  s: Int32Array,
  a: number,
  b: number,
  c: number,
  d: number,
  x: number,
  y: number,
): void {
  let sa = s[a] + s[b] + x | 0;
  let sd = s[d] ^ sa;
  sd = sd >>> 16 | sd << 16;
  let sc = s[c] + sd | 0;
  let sb = s[b] ^ sc;
  sb = sb >>> 12 | sb << 20;
  s[a] = sa = sa + sb + y | 0;
  sd ^= sa;
  s[d] = sd = sd >>> 8 | sd << 24;
  s[c] = sc = sc + sd | 0;
  sb ^= sc;
  s[b] = sb >>> 7 | sb << 25;
}

let kernel: Blake3Kernel | undefined;

/** The one kernel in JavaScript of this thread. */
export function jsKernel(): Blake3Kernel {
  return kernel ??= new Blake3Kernel(new JsCode());
}
