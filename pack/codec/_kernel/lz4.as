// LZ4 block format, https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
//
// Copies run in steps of 16 bytes and may pass the end of what they copy by 32,
// so 32 bytes of memory follow every source and destination. Nothing outside
// of those is read or written, whatever the input.

const TABLE: usize = 1024;
const TABLE_BITS: u32 = 13;
const TABLE_SIZE: usize = 4 << TABLE_BITS;
const HASH_PRIME: u64 = 889523592379;
const DISTANCE_MAX: u32 = 65535;
const MATCH_MIN: u32 = 4;
// The format wants the last 5 bytes as literals, and no match to begin in the
// last 12.
const LITERALS_LAST: u32 = 5;
const SEARCH_LAST: u32 = 12;
// Steps widen after 64 failures, then after every 64 more.
const SKIP_BITS: u32 = 6;

// Positions in the table grow from one call to the next, with a gap of more
// than the largest distance between calls. So the table need not be cleared.
let base: u32 = 0;

function slot(at: usize): usize {
  return TABLE + (<usize> (((load<u64>(at) << 24) * HASH_PRIME) >> (64 - TABLE_BITS)) << 2);
}

function copy(to: usize, from: usize, size: u32): void {
  const end = to + size;
  do {
    v128.store(to, v128.load(from));
    to += 16;
    from += 16;
  } while (to < end);
}

function equalSize(a: usize, b: usize, end: usize): u32 {
  const start = a;
  while (a + 8 <= end) {
    const difference = load<u64>(a) ^ load<u64>(b);
    if (difference) return <u32> (a - start) + <u32> (ctz(difference) >> 3);
    a += 8;
    b += 8;
  }
  while (a < end && load<u8>(a) == load<u8>(b)) {
    a++;
    b++;
  }
  return <u32> (a - start);
}

function putSize(to: usize, size: u32): usize {
  while (size >= 255) {
    store<u8>(to++, 255);
    size -= 255;
  }
  store<u8>(to++, <u8> size);
  return to;
}

/** Compresses; `to` has room for size + size / 255 + 16 bytes. Returns the size. */
export function compress(from: usize, size: u32, to: usize): u32 {
  if (base > 0x80000000 || base == 0) {
    memory.fill(TABLE, 0, TABLE_SIZE);
    base = DISTANCE_MAX + 1;
  }
  const bias: u32 = base - <u32> from;
  const end = from + size;
  let out = to;
  let literals = from;
  if (size > SEARCH_LAST) {
    const searchEnd = end - SEARCH_LAST;
    const matchEnd = end - LITERALS_LAST;
    let at = from;
    store<u32>(slot(at), <u32> at + bias);
    at++;
    while (true) {
      let match: usize = 0;
      let tries: u32 = 1 << SKIP_BITS;
      while (at <= searchEnd) {
        const place = slot(at);
        const distance = <u32> at + bias - load<u32>(place);
        store<u32>(place, <u32> at + bias);
        if (distance <= DISTANCE_MAX) {
          match = at - distance;
          if (load<u32>(match) == load<u32>(at)) break;
        }
        at += tries++ >> SKIP_BITS;
      }
      if (at > searchEnd) break;
      while (at > literals && match > from && load<u8>(at - 1) == load<u8>(match - 1)) {
        at--;
        match--;
      }
      let token = out++;
      const literalSize = <u32> (at - literals);
      let high: u32 = literalSize << 4;
      if (literalSize >= 15) {
        high = 240;
        out = putSize(out, literalSize - 15);
      }
      copy(out, literals, literalSize);
      out += literalSize;
      while (true) {
        store<u16>(out, <u16> (at - match));
        out += 2;
        const extra = equalSize(at + MATCH_MIN, match + MATCH_MIN, matchEnd);
        at += MATCH_MIN + extra;
        if (extra < 15) store<u8>(token, <u8> (high | extra));
        else {
          store<u8>(token, <u8> (high | 15));
          out = putSize(out, extra - 15);
        }
        literals = at;
        if (at > searchEnd) break;
        store<u32>(slot(at - 2), <u32> at - 2 + bias);
        const place = slot(at);
        const distance = <u32> at + bias - load<u32>(place);
        store<u32>(place, <u32> at + bias);
        if (distance > DISTANCE_MAX) break;
        match = at - distance;
        if (load<u32>(match) != load<u32>(at)) break;
        token = out++;
        high = 0;
      }
      if (at > searchEnd) break;
      at++;
    }
  }
  base += size + DISTANCE_MAX + 1;
  const literalSize = <u32> (end - literals);
  if (literalSize < 15) store<u8>(out++, <u8> (literalSize << 4));
  else {
    store<u8>(out++, 240);
    out = putSize(out, literalSize - 15);
  }
  memory.copy(out, literals, literalSize);
  return <u32> (out + literalSize - to);
}

/** Decompresses to exactly `plain` bytes. Returns `size`, or ~offset of damage. */
export function decompress(from: usize, size: u32, to: usize, plain: u32): i32 {
  let at = from;
  const end = from + size;
  let out = to;
  const outEnd = to + plain;
  while (at < end) {
    const token: u32 = load<u8>(at++);
    let literalSize = token >> 4;
    if (literalSize == 15) {
      let more: u32;
      do {
        if (at >= end) return ~(<i32> (at - from));
        more = load<u8>(at++);
        literalSize += more;
      } while (more == 255);
    }
    if (literalSize > <u32> (end - at) || literalSize > <u32> (outEnd - out)) {
      return ~(<i32> (at - from));
    }
    copy(out, at, literalSize);
    out += literalSize;
    at += literalSize;
    if (at == end) break;
    if (<u32> (end - at) < 2) return ~(<i32> (at - from));
    const distance: u32 = load<u16>(at);
    if (distance == 0 || distance > <u32> (out - to)) return ~(<i32> (at - from));
    at += 2;
    let matchSize = (token & 15) + MATCH_MIN;
    if (matchSize == 15 + MATCH_MIN) {
      let more: u32;
      do {
        if (at >= end) return ~(<i32> (at - from));
        more = load<u8>(at++);
        matchSize += more;
      } while (more == 255);
    }
    // Also the rule on the last literals, so that a match never ends the block.
    if (matchSize + LITERALS_LAST > <u32> (outEnd - out)) return ~(<i32> (at - from));
    let match = out - distance;
    const matchEnd = out + matchSize;
    if (distance >= 16) copy(out, match, matchSize);
    else if (distance >= 8) {
      let o = out;
      do {
        store<u64>(o, load<u64>(match));
        o += 8;
        match += 8;
      } while (o < matchEnd);
    } else if (distance == 1) {
      const v = i8x16.splat(load<u8>(match));
      let o = out;
      do {
        v128.store(o, v);
        o += 16;
      } while (o < matchEnd);
    } else {
      // The period is doubled until it has 8 bytes or more.
      let o = out;
      let k: u32 = 0;
      while (k < 8) {
        store<u8>(o++, load<u8>(match++));
        k++;
      }
      let period = distance;
      while (period < 8) period += distance;
      match = o - period;
      while (o < matchEnd) {
        store<u64>(o, load<u64>(match));
        o += 8;
        match += 8;
      }
    }
    out = matchEnd;
  }
  // A block ends with literals: the break above. An empty input, or one that
  // ends after a match, comes here with out before outEnd.
  return at == end && out == outEnd ? <i32> size : ~(<i32> (at - from));
}
