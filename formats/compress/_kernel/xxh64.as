// The stripes of XXH64, https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
//
// The four sums stand at 0. The end of a hash is short, and not here.

const PRIME_1: u64 = 0x9E3779B185EBCA87;
const PRIME_2: u64 = 0xC2B2AE3D27D4EB4F;

// @ts-ignore: decorator
@inline
function round(sum: u64, lane: u64): u64 {
  return rotl<u64>(sum + lane * PRIME_2, 31) * PRIME_1;
}

/** Adds stripes: `size` bytes, which is a multiple of 32, from `from` on. */
export function add(from: usize, size: u32): void {
  let a = load<u64>(0), b = load<u64>(8), c = load<u64>(16), d = load<u64>(24);
  const end = from + size;
  for (; from < end; from += 32) {
    a = round(a, load<u64>(from));
    b = round(b, load<u64>(from, 8));
    c = round(c, load<u64>(from, 16));
    d = round(d, load<u64>(from, 24));
  }
  store<u64>(0, a);
  store<u64>(8, b);
  store<u64>(16, c);
  store<u64>(24, d);
}
