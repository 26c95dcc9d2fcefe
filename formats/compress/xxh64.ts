const PRIME_1 = 0x9E3779B185EBCA87n;
const PRIME_2 = 0xC2B2AE3D27D4EB4Fn;
const PRIME_3 = 0x165667B19E3779F9n;
const PRIME_4 = 0x85EBCA77C2B2AE63n;
const PRIME_5 = 0x27D4EB2F165667C5n;
const STRIPE_SIZE = 32;

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
      addStripes(this.#sums, this.#restView, STRIPE_SIZE);
      this.#held = 0;
    }
    const size = bytes.length - at - (bytes.length - at) % STRIPE_SIZE;
    const { buffer, byteOffset } = bytes;
    addStripes(this.#sums, new DataView(buffer, byteOffset + at, size), size);
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

function addStripes(
  sums: BigUint64Array,
  view: DataView,
  size: number,
): void {
  let a = sums[0], b = sums[1], c = sums[2], d = sums[3];
  for (let at = 0; at < size; at += STRIPE_SIZE) {
    a = round(a, view.getBigUint64(at, true));
    b = round(b, view.getBigUint64(at + 8, true));
    c = round(c, view.getBigUint64(at + 16, true));
    d = round(d, view.getBigUint64(at + 24, true));
  }
  sums[0] = a;
  sums[1] = b;
  sums[2] = c;
  sums[3] = d;
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
