// BLAKE3 for up to 64 chunks of 1 KiB, in AssemblyScript. No state is kept
// between calls: whoever calls writes keys and input, and reads OUT.
// Lines `//# ...` are replaced by build.ts: the rounds are unrolled there, since
// AssemblyScript has no arrays of v128 that stay in registers.

const MESSAGE: usize = 0; // 16 message words of four lanes, re-read in each round:
// held in locals they would not fit the registers, and spilling was 10 % slower
const BLOCK: usize = 256; // the last block of a chunk, padded by zeros
const PAIR: usize = 320; // left chaining value of a parent
const OUT: usize = 352; // right chaining value of a parent, and every result
const VALUES: usize = 1024; // chaining values of one level, 64 of them and slack
const INPUT: usize = 4096;

const CHUNK_START: u32 = 1;
const CHUNK_END: u32 = 2;
const PARENT: u32 = 4;

// Compresses `blocks` blocks each of four inputs at once. The four results go
// to `out`, which may overlap the inputs when there is one block.
function lanes(
  p0: usize, p1: usize, p2: usize, p3: usize, blocks: u32, key: usize,
  counterLow: u32, counterHigh: u32, counterStep: u32,
  flags: u32, flagsFirst: u32, flagsLast: u32, out: usize,
): void {
  //# lanes key
  let counters = i32x4.add(
    i32x4.splat(counterLow),
    i32x4.mul(i32x4.splat(counterStep), i32x4(0, 1, 2, 3)),
  );
  let t: v128;
  let offset: usize = 0;
  for (let block: u32 = 0; block < blocks; block++) {
    let blockFlags = flags;
    if (block == 0) blockFlags |= flagsFirst;
    if (block == blocks - 1) blockFlags |= flagsLast;
    //# lanes message
    //# lanes state
    //# lanes rounds
    //# lanes feed
    offset += 64;
  }
  //# lanes store
}

// Compresses one block of `size` bytes at `block` into the chaining value at `value`.
function compress(
  value: usize, block: usize, counterLow: u32, counterHigh: u32,
  size: u32, flags: u32,
): void {
  //# one state
  //# one rounds
  //# one feed
}

// For 32 bytes the memory.copy instruction is a call, and slower.
@inline
function copyValue(to: usize, from: usize): void {
  v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
}

// Hashes one chunk of 0 to 1024 bytes.
function chunk(
  input: usize, size: u32, key: usize, counterLow: u32, counterHigh: u32,
  flags: u32, flagsLast: u32, value: usize,
): void {
  let blockFlags = flags | CHUNK_START;
  copyValue(value, key);
  while (size > 64) {
    compress(value, input, counterLow, counterHigh, 64, blockFlags);
    blockFlags = flags;
    input += 64;
    size -= 64;
  }
  if (size < 64) {
    memory.fill(BLOCK, 0, 64);
    memory.copy(BLOCK, input, size);
    input = BLOCK;
  }
  compress(
    value, input, counterLow, counterHigh, size,
    blockFlags | CHUNK_END | flagsLast,
  );
}

// Hashes the chunks of INPUT into VALUES and returns how many there were.
function chunks(
  size: u32, key: usize, flags: u32, counterLow: u32, counterHigh: u32,
): u32 {
  let count: u32 = 0;
  let input = INPUT;
  let value = VALUES;
  while (size >= 2048) {
    let n: u32 = min<u32>(size >> 10, 4);
    lanes(
      input, input + 1024, n > 2 ? input + 2048 : input,
      n > 3 ? input + 3072 : input, 16, key,
      counterLow + count, counterHigh, 1, flags, CHUNK_START, CHUNK_END, value,
    );
    count += n;
    input += n << 10;
    value += n << 5;
    size -= n << 10;
  }
  while (size > 0) {
    let part = min<u32>(size, 1024);
    chunk(input, part, key, counterLow + count, counterHigh, flags, 0, value);
    count++;
    input += part;
    value += 32;
    size -= part;
  }
  return count;
}

// Joins `count` chaining values pairwise, in place; an odd one moves up as it is.
function level(count: u32, key: usize, flags: u32): u32 {
  let pairs = count >> 1;
  let i: u32 = 0;
  while (pairs - i >= 2) {
    let n: u32 = min<u32>(pairs - i, 4);
    let from = VALUES + (<usize>i << 6);
    lanes(
      from, from + 64, n > 2 ? from + 128 : from, n > 3 ? from + 192 : from,
      1, key, 0, 0, 0, flags | PARENT, 0, 0, VALUES + (<usize>i << 5),
    );
    i += n;
  }
  if (i < pairs) {
    copyValue(PAIR, VALUES + (<usize>i << 6));
    copyValue(OUT, VALUES + (<usize>i << 6) + 32);
    parent(key, flags);
    copyValue(VALUES + (<usize>i << 5), OUT);
  }
  if (count & 1) {
    copyValue(VALUES + (<usize>pairs << 5), VALUES + (<usize>(count - 1) << 5));
    pairs++;
  }
  return pairs;
}

/** Hashes the first `size` bytes of INPUT, at most 64 KiB, into OUT. */
export function subtree(
  size: u32, key: usize, flags: u32, flagsRoot: u32,
  counterLow: u32, counterHigh: u32,
): void {
  if (size <= 1024) {
    chunk(INPUT, size, key, counterLow, counterHigh, flags, flagsRoot, OUT);
    return;
  }
  let count = chunks(size, key, flags, counterLow, counterHigh);
  while (count > 2) count = level(count, key, flags);
  copyValue(PAIR, VALUES);
  copyValue(OUT, VALUES + 32);
  parent(key, flags | flagsRoot);
}

/** Joins the chaining values at PAIR and OUT into OUT. */
export function parent(key: usize, flags: u32): void {
  copyValue(BLOCK, PAIR);
  copyValue(BLOCK + 32, OUT);
  copyValue(OUT, key);
  compress(OUT, BLOCK, 0, 0, 64, flags | PARENT);
}
