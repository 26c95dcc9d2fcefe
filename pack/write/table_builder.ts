import { compareKeys, getU32, ID_SIZE, setU32 } from "../bytes.ts";
import { FRAME_SIZE_MAX } from "../codec/codec.ts";
import type { FrameRows } from "./frame_builder.ts";
import { FRAME_ROW_SIZE, OBJECT_ROW_SIZE } from "./pack_footer.ts";
import { PackTable } from "./pack_table.ts";
import { sortRows } from "../sort_rows.ts";

const ROWS_FIRST = 256;

/** Fields of a frame row. */
export interface FrameRow {
  readonly offset: number;
  readonly storedSize: number;
  readonly plainSize: number;
  readonly codecTag: number;
  readonly crc: number;
}

/** Collects the rows of a table as bytes, and sorts them at the end. */
export class TableBuilder {
  frameCount = 0;
  objectCount = 0;
  #frames = new Uint8Array(ROWS_FIRST * FRAME_ROW_SIZE);
  #objects = new Uint8Array(ROWS_FIRST * OBJECT_ROW_SIZE);

  /** Adds a frame and its objects, which {@linkcode checkRows} has seen. */
  add(frame: FrameRow, rows: FrameRows): void {
    const number = this.frameCount++;
    this.#frames = grown(this.#frames, this.frameCount * FRAME_ROW_SIZE);
    const at = number * FRAME_ROW_SIZE;
    setU32(this.#frames, at, frame.offset);
    setU32(this.#frames, at + 4, frame.storedSize);
    setU32(this.#frames, at + 8, frame.plainSize | (frame.codecTag << 24));
    setU32(this.#frames, at + 12, frame.crc);
    const end = (this.objectCount + rows.count) * OBJECT_ROW_SIZE;
    this.#objects = grown(this.#objects, end);
    const out = this.#objects;
    for (let i = 0; i < rows.count; i++) {
      const start = this.objectCount++ * OBJECT_ROW_SIZE;
      for (let j = 0; j < ID_SIZE; j++) {
        out[start + j] = rows.ids[i * ID_SIZE + j];
      }
      setU32(out, start + 32, rows.kinds[i]);
      setU32(out, start + 36, number);
      setU32(out, start + 40, rows.offsets[i]);
      setU32(out, start + 44, rows.sizes[i]);
    }
  }

  /** The table, not checked yet: objects sorted, the first of equal ones kept. */
  build(tableOffset: number): PackTable {
    const framesSize = this.frameCount * FRAME_ROW_SIZE;
    const objects = this.#objects;
    const order = sortRows(objects, this.objectCount, OBJECT_ROW_SIZE);
    const bytes = new Uint8Array(
      framesSize + this.objectCount * OBJECT_ROW_SIZE,
    );
    bytes.set(this.#frames.subarray(0, framesSize));
    let end = framesSize;
    for (let i = 0; i < order.length; i++) {
      const start = order[i] * OBJECT_ROW_SIZE;
      if (
        end > framesSize &&
        compareKeys(bytes, end - OBJECT_ROW_SIZE, objects, start) === 0
      ) continue;
      for (let j = 0; j < OBJECT_ROW_SIZE; j++) {
        bytes[end + j] = objects[start + j];
      }
      end += OBJECT_ROW_SIZE;
    }
    const objectCount = (end - framesSize) / OBJECT_ROW_SIZE;
    return PackTable.fromRows(bytes.subarray(0, end), {
      tableOffset,
      frameCount: this.frameCount,
      objectCount,
    });
  }

  /** Looks every object up in the table that was made of them, as it is read. */
  compare(table: PackTable): void {
    const rows = this.#objects;
    for (let i = 0; i < this.objectCount; i++) {
      const at = i * OBJECT_ROW_SIZE;
      const row = table.find(rows, at, getU32(rows, at + 32));
      // A row that differs is of an object that came before.
      const kept = row >= 0 && (isBefore(table, row, rows, at) ||
        compareRows(table.bytes, table.idStart(row), rows, at));
      if (!kept) {
        throw new Error(`Cannot trust pack table as it lost object ${i}`);
      }
    }
  }
}

/** Refuses rows that do not lie within the plain frame. */
export function checkRows(rows: FrameRows, plainSize: number): void {
  if (!(plainSize >= 1 && plainSize <= FRAME_SIZE_MAX)) {
    throw new RangeError(
      `Cannot add frame of ${plainSize} plain bytes: 1 to ${FRAME_SIZE_MAX} are possible`,
    );
  }
  if (!(rows.count >= 1)) {
    throw new RangeError(
      "Cannot add frame: it has no object",
    );
  }
  for (let i = 0; i < rows.count; i++) {
    const end = rows.offsets[i] + rows.sizes[i];
    const kind = rows.kinds[i];
    if (!(rows.sizes[i] >= 1 && end <= plainSize && kind >= 1 && kind <= 4)) {
      throw new RangeError(
        `Cannot add frame of ${plainSize} bytes: object ${i} of kind ${kind} ends at ${end}`,
      );
    }
  }
}

/** Whether an object of the table lies before the one of a row. */
function isBefore(
  table: PackTable,
  row: number,
  rows: Uint8Array,
  at: number,
): boolean {
  const frame = getU32(rows, at + 36);
  return table.frame(row) < frame ||
    (table.frame(row) === frame && table.offset(row) < getU32(rows, at + 40));
}

function compareRows(
  a: Uint8Array,
  aStart: number,
  b: Uint8Array,
  bStart: number,
): boolean {
  for (let i = 0; i < OBJECT_ROW_SIZE; i++) {
    if (a[aStart + i] !== b[bStart + i]) return false;
  }
  return true;
}

function grown(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  if (size <= bytes.length) return bytes as Uint8Array<ArrayBuffer>;
  const larger = new Uint8Array(Math.max(size, bytes.length * 2));
  larger.set(bytes);
  return larger;
}
