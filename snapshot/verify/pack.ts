import { crc32 } from "node:zlib";
import {
  ATTRIBUTES_CONTEXT,
  equalBytes,
  type Hasher,
  ID_SIZE,
  TREE_CONTEXT,
} from "@snap/hash";
import { codecOf } from "@snap/pack/codecs";
import { ObjectKind } from "@snap/pack";
import {
  decodePackFooter,
  PACK_FOOTER_SIZE,
  PACK_HEADER_SIZE,
  type PackTable,
  readPackTable,
} from "@snap/pack/write";
import { RecipeNode } from "@snap/pack/recipe";
import { decodeHeader, UnsupportedVersionError } from "@snap/store";

/** Stored bytes that are read at once. */
const READ_SIZE = 4 << 20;
/** Room for a plain frame; larger ones make it grow, up to 4 MiB. */
const PLAIN_SIZE_FIRST = 64 << 10;

/** A pack to check. */
export interface PackFile {
  /** Its id, 32 bytes. */
  readonly id: Uint8Array;
  /** Its name in the store. */
  readonly name: string;
  /** Its size in bytes. */
  readonly size: number;
}

/** A range of the pack that is needed. */
export interface PackRange {
  readonly offset: number;
  readonly length: number;
}

/** An object that its frame does not give. */
export interface PackFault {
  readonly row: number;
  readonly reason: "disk" | "memory";
}

/** Says whether an object was read from this pack before, and was sound. */
export type IsChecked = (ids: Uint8Array, start: number) => boolean;

/** Result of the check. */
export interface CheckedPack {
  /** The table, if it is sound. */
  readonly table?: PackTable;
  readonly role?: number;
  readonly faults: readonly PackFault[];
  /** Problems of the pack beside its objects. */
  readonly problems: readonly string[];
  /** Rows of the roots of recipes. */
  readonly roots: readonly number[];
}

/**
 * Checks all of a pack: header, frames, objects, table, footer, and its name.
 * Packs know nothing of each other here, and nothing is read: the generator
 * yields the ranges that it needs, and is given their bytes; between two of them,
 * it yields how much work was done.
 */
export class PackCheck {
  readonly #hasher: Hasher;
  #plain = new Uint8Array(PLAIN_SIZE_FIRST);
  readonly #hash = new Uint8Array(ID_SIZE);
  #isChecked: IsChecked = () => false;
  #faults: PackFault[] = [];
  #problems: string[] = [];
  #roots: number[] = [];

  constructor(hasher: Hasher) {
    this.#hasher = hasher;
  }

  /**
   * Checks a pack. Frames of which every object was checked elsewhere, as
   * `isChecked` says, are not decoded again: their CRC is enough.
   */
  *check(
    pack: PackFile,
    isChecked: IsChecked = () => false,
  ): Generator<PackRange | number, CheckedPack, Uint8Array> {
    this.#isChecked = isChecked;
    const faults: PackFault[] = this.#faults = [];
    const problems: string[] = this.#problems = [];
    const roots: number[] = this.#roots = [];
    const { size } = pack;
    if (size < PACK_HEADER_SIZE + PACK_FOOTER_SIZE) {
      problems.push(`it has ${size} bytes, less than any pack`);
      return { faults, problems, roots };
    }
    const footerBytes = (yield {
      offset: size - PACK_FOOTER_SIZE,
      length: PACK_FOOTER_SIZE,
    }).slice();
    let table: PackTable;
    let role: number;
    try {
      const footer = decodePackFooter(footerBytes, size);
      role = footer.role;
      const offset = footer.tableOffset;
      const length = size - PACK_FOOTER_SIZE - offset;
      const bytes = length === 0 ? new Uint8Array(0) : yield { offset, length };
      table = readPackTable(bytes.slice(), footer, this.#hasher);
    } catch (error) {
      problems.push(problemOf(error));
      return { faults, problems, roots };
    }
    yield* this.#checkFrames(pack, table, footerBytes);
    return { table, role, faults, problems, roots };
  }

  *#checkFrames(
    pack: PackFile,
    table: PackTable,
    footer: Uint8Array,
  ): Generator<PackRange | number, void, Uint8Array> {
    const name = this.#hasher.stream();
    const rows = rowsByFrame(table);
    let start = 0;
    for (let frame = 0; start < table.tableOffset;) {
      const first = frame;
      let end = Math.max(start, PACK_HEADER_SIZE);
      while (
        frame < table.frameCount && (frame === first || end - start < READ_SIZE)
      ) {
        end += table.storedSize(frame++);
      }
      const bytes = yield { offset: start, length: end - start };
      if (start === 0) this.#checkHeader(bytes);
      let named = 0;
      for (let at = first; at < frame; at++) {
        const offset = table.frameOffset(at) - start;
        const end = offset + table.storedSize(at);
        this.#checkFrame(table, at, bytes.subarray(offset, end), rows);
        name.update(bytes.subarray(named, end));
        named = end;
        yield table.storedSize(at) + table.plainSize(at);
      }
      name.update(bytes.subarray(named));
      start = end;
    }
    name.update(table.bytes);
    name.update(footer);
    name.digestInto(this.#hash);
    const isNamed = equalBytes(this.#hash, 0, pack.id, 0, ID_SIZE);
    // A frame that differs explains the name.
    if (isNamed || this.#faults.some(({ reason }) => reason === "disk")) return;
    this.#problems.push("its BLAKE3 needs to be its name: found another");
  }

  #checkHeader(bytes: Uint8Array): void {
    try {
      decodeHeader("PACK", bytes.subarray(0, PACK_HEADER_SIZE));
    } catch (error) {
      this.#problems.push(problemOf(error));
    }
  }

  #checkFrame(
    table: PackTable,
    frame: number,
    stored: Uint8Array,
    rows: FrameObjects,
  ): void {
    const isStored = crc32(stored) === table.crc(frame);
    if (isStored && this.#isFrameChecked(table, frame, rows)) return;
    const reason = isStored ? "memory" : "disk";
    const plainSize = table.plainSize(frame);
    if (this.#plain.length < plainSize) this.#plain = new Uint8Array(plainSize);
    const plain = this.#plain.subarray(0, plainSize);
    let isDecoded = true;
    try {
      codecOf(table.codecTag(frame)).decompress(stored, plain);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      isDecoded = false;
    }
    let faultCount = 0;
    for (let at = rows.starts[frame]; at < rows.starts[frame + 1]; at++) {
      const row = rows.rows[at];
      if (isDecoded && this.#isSound(table, row, plain)) continue;
      this.#faults.push({ row, reason });
      faultCount++;
    }
    if (!isStored && faultCount === 0) {
      this.#problems.push(
        `the checksum of its part ${frame} differs from that in its table`,
      );
    }
  }

  #isFrameChecked(
    table: PackTable,
    frame: number,
    { rows, starts }: FrameObjects,
  ): boolean {
    for (let at = starts[frame]; at < starts[frame + 1]; at++) {
      const row = rows[at];
      if (table.kind(row) !== ObjectKind.content) return false;
      if (!this.#isChecked(table.bytes, table.idStart(row))) return false;
    }
    return starts[frame] < starts[frame + 1];
  }

  #isSound(table: PackTable, row: number, plain: Uint8Array): boolean {
    const start = table.offset(row);
    const bytes = plain.subarray(start, start + table.size(row));
    const hash = this.#hash;
    switch (table.kind(row)) {
      case ObjectKind.content:
        this.#hasher.hashInto(bytes, hash);
        break;
      case ObjectKind.tree:
        this.#hasher.deriveInto(TREE_CONTEXT, bytes, hash);
        break;
      case ObjectKind.attributes:
        this.#hasher.deriveInto(ATTRIBUTES_CONTEXT, bytes, hash);
        break;
      default:
        return this.#isNode(table, row, bytes);
    }
    return equalBytes(hash, 0, table.bytes, table.idStart(row), ID_SIZE);
  }

  #isNode(table: PackTable, row: number, bytes: Uint8Array): boolean {
    try {
      const { id, isRoot } = RecipeNode.decode(bytes, this.#hasher);
      if (isRoot) this.#roots.push(row);
      return equalBytes(id, 0, table.bytes, table.idStart(row), ID_SIZE);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return false;
    }
  }
}

/** Rows of objects in the order of their frames. */
interface FrameObjects {
  readonly rows: Uint32Array;
  /** Where those of each frame begin, and the end of the last. */
  readonly starts: Uint32Array;
}

function rowsByFrame(table: PackTable): FrameObjects {
  const { frameCount, objectCount } = table;
  const starts = new Uint32Array(frameCount + 2);
  for (let row = 0; row < objectCount; row++) starts[table.frame(row) + 2]++;
  for (let frame = 1; frame < starts.length; frame++) {
    starts[frame] += starts[frame - 1];
  }
  const rows = new Uint32Array(objectCount);
  // The places move up by one frame while they are filled.
  for (let row = 0; row < objectCount; row++) {
    rows[starts[table.frame(row) + 1]++] = row;
  }
  return { rows, starts };
}

function problemOf(error: unknown): string {
  if (
    error instanceof SyntaxError || error instanceof UnsupportedVersionError
  ) return error.message;
  throw error;
}
