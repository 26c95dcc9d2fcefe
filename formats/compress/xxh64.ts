import { XXH64_WASM } from "./xxh64_wasm.ts";

const PRIME_1 = 0x9E3779B185EBCA87n;
const PRIME_2 = 0xC2B2AE3D27D4EB4Fn;
const PRIME_3 = 0x165667B19E3779F9n;
const PRIME_4 = 0x85EBCA77C2B2AE63n;
const PRIME_5 = 0x27D4EB2F165667C5n;
const STRIPE_SIZE = 32;
/** Where bytes go in the memory of the kernel, and how many at once. */
const DATA = 64 << 10;
const DATA_SIZE = 64 << 10;

/** The hash XXH64 with seed 0, by which a zstd frame is checked. */
export class Xxh64 {
  readonly #sums = new BigUint64Array(4);
  readonly #rest = new Uint8Array(STRIPE_SIZE);
  readonly #restView = new DataView(this.#rest.buffer);
  #held = 0;
  #size = 0n;

  /** Takes no bytes yet. */
  constructor() {
    this.#sums.set([wrap(PRIME_1 + PRIME_2), PRIME_2, 0n, wrap(-PRIME_1)]);
  }

  /** Takes the next bytes. */
  update(bytes: Uint8Array): void {
    this.#size += BigInt(bytes.length);
    let at = 0;
    if (this.#held > 0) {
      at = Math.min(STRIPE_SIZE - this.#held, bytes.length);
      this.#rest.set(bytes.subarray(0, at), this.#held);
      this.#held += at;
      if (this.#held < STRIPE_SIZE) return;
      addStripes(this.#sums, this.#rest);
      this.#held = 0;
    }
    const size = bytes.length - at - (bytes.length - at) % STRIPE_SIZE;
    if (size > 0) addStripes(this.#sums, bytes.subarray(at, at + size));
    this.#held = bytes.length - at - size;
    this.#rest.set(bytes.subarray(at + size));
  }

  /** The lower 32 bits of the hash of all bytes. */
  low32(): number {
    const [a, b, c, d] = this.#sums;
    let hash = this.#size < BigInt(STRIPE_SIZE) ? PRIME_5 : wrap(
      rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n),
    );
    if (this.#size >= BigInt(STRIPE_SIZE)) {
      for (const sum of this.#sums) {
        hash = wrap((hash ^ round(0n, sum)) * PRIME_1 + PRIME_4);
      }
    }
    hash = wrap(hash + this.#size);
    let at = 0;
    for (; at + 8 <= this.#held; at += 8) {
      const lane = this.#restView.getBigUint64(at, true);
      hash ^= round(0n, lane);
      hash = wrap(rotate(hash, 27n) * PRIME_1 + PRIME_4);
    }
    if (at + 4 <= this.#held) {
      hash ^= wrap(BigInt(this.#restView.getUint32(at, true)) * PRIME_1);
      hash = wrap(rotate(hash, 23n) * PRIME_2 + PRIME_3);
      at += 4;
    }
    for (; at < this.#held; at++) {
      hash ^= wrap(BigInt(this.#rest[at]) * PRIME_5);
      hash = wrap(rotate(hash, 11n) * PRIME_1);
    }
    hash = wrap((hash ^ (hash >> 33n)) * PRIME_2);
    hash = wrap((hash ^ (hash >> 29n)) * PRIME_3);
    return Number((hash ^ (hash >> 32n)) & 0xffffffffn);
  }
}

/** Exports of the WebAssembly module: see `_kernel/xxh64.as`. */
interface Xxh64Exports {
  readonly memory: WebAssembly.Memory;
  add(from: number, size: number): void;
}

/** Adds stripes, one hash after the other. */
class Xxh64Kernel {
  readonly #kernel: Xxh64Exports;
  readonly #sums: BigUint64Array;
  readonly #bytes: Uint8Array;

  constructor() {
    const wasm = Uint8Array.from(atob(XXH64_WASM), (digit) => {
      return digit.charCodeAt(0);
    });
    const module = new WebAssembly.Module(wasm);
    const { exports } = new WebAssembly.Instance(module);
    this.#kernel = exports as unknown as Xxh64Exports;
    const { buffer } = this.#kernel.memory;
    this.#sums = new BigUint64Array(buffer, 0, 4);
    this.#bytes = new Uint8Array(buffer, DATA, DATA_SIZE);
  }

  /** Adds bytes, a multiple of 32, to sums. */
  add(sums: BigUint64Array, bytes: Uint8Array): void {
    this.#sums.set(sums);
    for (let at = 0; at < bytes.length; at += DATA_SIZE) {
      const part = bytes.subarray(at, at + DATA_SIZE);
      this.#bytes.set(part);
      this.#kernel.add(DATA, part.length);
    }
    sums.set(this.#sums);
  }
}

let kernel: Xxh64Kernel | undefined;

/** Adds stripes of 32 bytes. */
function addStripes(sums: BigUint64Array, bytes: Uint8Array): void {
  kernel ??= new Xxh64Kernel();
  kernel.add(sums, bytes);
}

function round(sum: bigint, lane: bigint): bigint {
  const mixed = wrap(sum + wrap(lane * PRIME_2));
  return wrap(rotate(mixed, 31n) * PRIME_1);
}

function rotate(value: bigint, bits: bigint): bigint {
  return wrap(value << bits) | (value >> (64n - bits));
}

function wrap(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}
