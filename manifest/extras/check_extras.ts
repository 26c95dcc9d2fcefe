import { compareRuns, ID_SIZE } from "../bytes.ts";
import { VarintReader } from "../varint.ts";
import { readHoles } from "./read_holes.ts";
import { INLINE_SIZE_MAX, XATTR_NAME_SIZE_MAX } from "../limits.ts";
import { ManifestSyntaxError } from "../manifest_syntax_error.ts";

/** Tags of the items of extras. */
export const ExtraTag = {
  attribute: 1,
  largeAttribute: 2,
  holes: 3,
  largeHoles: 4,
} as const;

function fail(reason: string, offset: number): never {
  throw new ManifestSyntaxError(`Cannot read extras as ${reason}`, offset);
}

/** Checks size and bytes, or size and id, and returns where the bytes or the id begin. */
function checkValue(
  reader: VarintReader,
  isLarge: boolean,
  end: number,
): number {
  const at = reader.at;
  const size = reader.read();
  if (isLarge !== size > INLINE_SIZE_MAX) {
    fail(
      `only more than ${INLINE_SIZE_MAX} bytes are kept as content: found ${size}`,
      at,
    );
  }
  const start = reader.at;
  const stored = isLarge ? ID_SIZE : size;
  if (stored > end - start) {
    fail(`an item needs ${stored} bytes: found ${end - start}`, start);
  }
  reader.at = start + stored;
  return start;
}

/** Throws unless a run of bytes is canonical extras of one row: at least one item. */
export function checkExtras(
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  if (start >= end) {
    fail("a row with extras must have an item: found none", start);
  }
  const reader = new VarintReader(bytes, start, end);
  let before = 0;
  let beforeEnd = 0;
  while (!reader.isAtEnd) {
    const at = reader.at++;
    const tag = bytes[at];
    if (tag === ExtraTag.holes || tag === ExtraTag.largeHoles) {
      const listStart = checkValue(reader, tag === ExtraTag.largeHoles, end);
      if (tag === ExtraTag.holes) readHoles(bytes, listStart, reader.at);
      if (!reader.isAtEnd) fail("nothing may follow the holes", reader.at);
      return;
    }
    if (tag !== ExtraTag.attribute && tag !== ExtraTag.largeAttribute) {
      fail(`a tag must be 1 to 4: found ${tag}`, at);
    }
    const nameEnd = reader.readEnd();
    const name = reader.at;
    if (nameEnd === name || nameEnd - name > XATTR_NAME_SIZE_MAX) {
      fail(
        `a name must have 1 to ${XATTR_NAME_SIZE_MAX} bytes: found ${
          nameEnd - name
        }`,
        name,
      );
    }
    for (let read = name; read < nameEnd; read++) {
      if (bytes[read] === 0) fail("a name must not contain NUL", read);
    }
    if (
      before > 0 &&
      compareRuns(bytes, before, beforeEnd, bytes, name, nameEnd) >= 0
    ) {
      fail("names must ascend and never repeat", name);
    }
    before = name;
    beforeEnd = nameEnd;
    reader.at = nameEnd;
    checkValue(reader, tag === ExtraTag.largeAttribute, end);
  }
}
