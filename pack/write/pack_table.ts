/**
 * The table of a pack: its frames, and its objects by id and kind. Rows are
 * read in place.
 *
 * @module
 */
import { checkBytes, type Hasher } from "@snap/hash";
import { compareIds, compareKeys, getU32, ID_SIZE } from "../bytes.ts";
import { CodecTag, FRAME_SIZE_MAX } from "../codec/codec.ts";
import { PackSyntaxError } from "../errors.ts";
import {
  FRAME_ROW_SIZE,
  OBJECT_ROW_SIZE,
  PACK_HEADER_SIZE,
  type PackFooter,
  packTableSize,
} from "./pack_footer.ts";

/** Above every size of an object. */
const SIZE_SCALE = 2 ** 24;

/** Counts and place of a table, known from the footer before it is read. */
export interface PackTableShape {
  /** Offset of the table in the pack: the end of the last frame. */
  readonly tableOffset: number;
  /** Number of frames. */
  readonly frameCount: number;
  /** Number of objects. */
  readonly objectCount: number;
}

/** The table of a pack. */
export class PackTable {
  /** All rows, as they stand in the pack. */
  readonly bytes: Uint8Array;
  /** Number of frames. */
  readonly frameCount: number;
  /** Number of objects. */
  readonly objectCount: number;
  /** Offset of the table in the pack. */
  readonly tableOffset: number;
  /** Where the object rows begin in `bytes`. */
  readonly objectsStart: number;

  private constructor(bytes: Uint8Array, shape: PackTableShape) {
    this.bytes = bytes;
    this.frameCount = shape.frameCount;
    this.objectCount = shape.objectCount;
    this.tableOffset = shape.tableOffset;
    this.objectsStart = shape.frameCount * FRAME_ROW_SIZE;
  }

  /**
   * Decodes a table, strictly: every number is checked here and may be used
   * without a look at it afterwards.
   *
   * @param bytes The table; it must not change afterwards
   * @param shape What the footer says of it
   * @returns The table, over `bytes`
   * @throws {PackSyntaxError} If the bytes are no such table
   */
  static decode(bytes: Uint8Array, shape: PackTableShape): PackTable {
    checkBytes(bytes, "table of a pack");
    const needed = packTableSize(shape);
    if (bytes.length !== needed) {
      fail(
        `its ${shape.frameCount} frames and ${shape.objectCount} objects need ${needed} bytes: found ${bytes.length}`,
        0,
      );
    }
    const table = new PackTable(bytes, shape);
    checkFrames(table);
    checkObjects(table);
    checkOverlaps(table);
    return table;
  }

  /**
   * Makes a table of rows that come from elsewhere: of those frames and objects of a
   * pack that are known, with gaps between the frames.
   *
   * @param bytes Frame rows and object rows; each object lies within its frame
   * @param shape How many rows there are, and where the last frame ends
   * @returns The table, over `bytes`
   *
   * @internal
   */
  static fromRows(bytes: Uint8Array, shape: PackTableShape): PackTable {
    return new PackTable(bytes, shape);
  }

  /**
   * Says where a frame begins.
   *
   * @param frame Number of the frame
   * @returns Its offset in the pack
   */
  frameOffset(frame: number): number {
    return getU32(this.bytes, frame * FRAME_ROW_SIZE);
  }

  /**
   * Says how many bytes of the pack a frame takes.
   *
   * @param frame Number of the frame
   * @returns Its stored size in bytes
   */
  storedSize(frame: number): number {
    return getU32(this.bytes, frame * FRAME_ROW_SIZE + 4);
  }

  /**
   * Says how many plain bytes a frame has.
   *
   * @param frame Number of the frame
   * @returns Its plain size in bytes
   */
  plainSize(frame: number): number {
    return getU32(this.bytes, frame * FRAME_ROW_SIZE + 8) & 0xffffff;
  }

  /**
   * Says how a frame is compressed.
   *
   * @param frame Number of the frame
   * @returns Number of its codec
   */
  codecTag(frame: number): CodecTag {
    return this.bytes[frame * FRAME_ROW_SIZE + 11] as CodecTag;
  }

  /**
   * Gives the checksum of a frame.
   *
   * @param frame Number of the frame
   * @returns CRC-32 of its stored bytes
   */
  crc(frame: number): number {
    return getU32(this.bytes, frame * FRAME_ROW_SIZE + 12);
  }

  /**
   * Says where the id of an object stands.
   *
   * @param row Number of the object
   * @returns Where the 32 bytes of its id begin in `bytes`
   */
  idStart(row: number): number {
    return this.objectsStart + row * OBJECT_ROW_SIZE;
  }

  /**
   * Gives the id of an object.
   *
   * @param row Number of the object
   * @returns A view of its id
   */
  idBytes(row: number): Uint8Array {
    const start = this.idStart(row);
    return this.bytes.subarray(start, start + ID_SIZE);
  }

  /**
   * Says of which kind an object is.
   *
   * @param row Number of the object
   * @returns Number of its kind
   */
  kind(row: number): number {
    return getU32(this.bytes, this.idStart(row) + 32);
  }

  /**
   * Says which frame holds an object.
   *
   * @param row Number of the object
   * @returns Number of its frame
   */
  frame(row: number): number {
    return getU32(this.bytes, this.idStart(row) + 36);
  }

  /**
   * Says where an object begins in its plain frame.
   *
   * @param row Number of the object
   * @returns Its offset in the plain frame
   */
  offset(row: number): number {
    return getU32(this.bytes, this.idStart(row) + 40);
  }

  /**
   * Says how many plain bytes an object has.
   *
   * @param row Number of the object
   * @returns Its plain size in bytes
   */
  size(row: number): number {
    return getU32(this.bytes, this.idStart(row) + 44);
  }

  /**
   * Finds an object.
   *
   * @param ids Bytes with its id
   * @param idStart Where its 32 bytes begin
   * @param kind Number of its kind
   * @returns Number of its row, -1 if there is none
   */
  find(ids: Uint8Array, idStart: number, kind: number): number {
    checkBytes(ids, "id");
    let low = 0;
    let high = this.objectCount - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const order =
        compareIds(this.bytes, this.idStart(middle), ids, idStart) ||
        this.kind(middle) - kind;
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}

/**
 * Checks a table against the hash in its footer, then decodes it.
 *
 * @param bytes The table; it must not change afterwards
 * @param footer The footer of its pack
 * @param hasher What hashes
 * @returns The table, over `bytes`
 * @throws {PackSyntaxError} If the bytes are not the table that was written
 */
export function readPackTable(
  bytes: Uint8Array,
  footer: PackFooter,
  hasher: Hasher,
): PackTable {
  const hash = new Uint8Array(ID_SIZE);
  hasher.hashInto(bytes, hash);
  if (compareIds(hash, 0, footer.tableHash, 0) !== 0) {
    fail("its BLAKE3 needs to be the one in the footer: found another", 0);
  }
  return PackTable.decode(bytes, footer);
}

function checkFrames(table: PackTable): void {
  let end = PACK_HEADER_SIZE;
  for (let i = 0; i < table.frameCount; i++) {
    const at = i * FRAME_ROW_SIZE;
    const offset = table.frameOffset(i);
    if (offset !== end) {
      fail(`frame ${i} begins at ${end}: found ${offset}`, at);
    }
    const stored = table.storedSize(i);
    if (stored < 1) fail(`frame ${i} has at least 1 byte`, at + 4);
    end += stored;
    const plain = table.plainSize(i);
    if (plain < 1 || plain > FRAME_SIZE_MAX) {
      fail(
        `frame ${i} has 1 to ${FRAME_SIZE_MAX} plain bytes: found ${plain}`,
        at + 8,
      );
    }
    const tag = table.codecTag(i);
    if (tag > CodecTag.zstd) {
      fail(`codec of frame ${i} is 0 to 2: found ${tag}`, at + 11);
    }
    if (tag === CodecTag.none && stored !== plain) {
      fail(
        `frame ${i} is plain and has ${plain} bytes: found ${stored}`,
        at + 4,
      );
    }
    const pack = getU32(table.bytes, at + 16);
    if (pack !== 0) fail(`pack of frame ${i} is 0: found ${pack}`, at + 16);
  }
  if (end !== table.tableOffset) {
    fail(`its frames end at ${table.tableOffset}: found ${end}`, 0);
  }
}

function checkObjects(table: PackTable): void {
  const bytes = table.bytes;
  for (let i = 0; i < table.objectCount; i++) {
    const at = table.idStart(i);
    const kind = table.kind(i);
    if (kind < 1 || kind > 4) {
      fail(`kind of object ${i} is 1 to 4: found ${kind}`, at + 32);
    }
    if (i > 0 && compareKeys(bytes, at - OBJECT_ROW_SIZE, bytes, at) >= 0) {
      fail(`object ${i} stands behind the one before it`, at);
    }
    const frame = table.frame(i);
    if (frame >= table.frameCount) {
      fail(
        `frame of object ${i} is below ${table.frameCount}: found ${frame}`,
        at + 36,
      );
    }
    const size = table.size(i);
    const end = table.offset(i) + size;
    if (size < 1 || end > table.plainSize(frame)) {
      fail(
        `object ${i} ends within the ${
          table.plainSize(frame)
        } bytes of its frame: found ${end}`,
        at + 40,
      );
    }
  }
}

/**
 * Refuses objects that share some of their bytes: whoever checked one of them
 * might believe the other. Those that share all are claims about the same bytes,
 * of which each is checked against its id.
 */
function checkOverlaps(table: PackTable): void {
  const { frameCount, objectCount } = table;
  const starts = new Uint32Array(frameCount + 2);
  for (let row = 0; row < objectCount; row++) starts[table.frame(row) + 2]++;
  for (let frame = 2; frame < starts.length; frame++) {
    starts[frame] += starts[frame - 1];
  }
  // One number for each: its offset, then its size, both at most 4 MiB.
  const places = new Float64Array(objectCount);
  for (let row = 0; row < objectCount; row++) {
    places[starts[table.frame(row) + 1]++] = table.offset(row) * SIZE_SCALE +
      table.size(row);
  }
  for (let frame = 0; frame < frameCount; frame++) {
    const own = places.subarray(starts[frame], starts[frame + 1]).sort();
    for (let i = 1; i < own.length; i++) {
      const offset = Math.floor(own[i] / SIZE_SCALE);
      const end = Math.floor(own[i - 1] / SIZE_SCALE) + own[i - 1] % SIZE_SCALE;
      if (offset >= end || own[i] === own[i - 1]) continue;
      fail(`objects of frame ${frame} share no bytes: found ${offset}`, 0);
    }
  }
}

function fail(need: string, offset: number): never {
  throw new PackSyntaxError(`Cannot read pack table as ${need}`, offset);
}
