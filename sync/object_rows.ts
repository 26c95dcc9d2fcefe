import { ID_SIZE } from "@snap/hash";
import type { ObjectList } from "./peer/peer.ts";

/** Rows before the columns grow first: most directories have no more. */
const ROWS_FIRST = 16;

/** More than there are rows. */
const ROWS_MAX = 2 ** 29;

/** Objects that are gathered. */
export class ObjectRows implements ObjectList {
  count = 0;
  /** Plain bytes of all. */
  byteCount = 0;
  ids: Uint8Array = new Uint8Array(ID_SIZE * ROWS_FIRST);
  kinds: Uint8Array = new Uint8Array(ROWS_FIRST);
  sizes: Float64Array = new Float64Array(ROWS_FIRST);

  /** Adds an object. */
  add(ids: Uint8Array, idStart: number, kind: number, size: number): void {
    const row = this.count++;
    if (row === this.kinds.length) this.#grow();
    for (let i = 0; i < ID_SIZE; i++) {
      this.ids[ID_SIZE * row + i] = ids[idStart + i];
    }
    this.kinds[row] = kind;
    this.sizes[row] = size;
    this.byteCount += size;
  }

  /** Adds a row of another list. */
  addRow(list: ObjectList, row: number): void {
    this.add(list.ids, ID_SIZE * row, list.kinds[row], list.sizes[row]);
  }

  /** The same objects in the order of their ids, in which pages of an index follow each other. */
  sorted(): ObjectRows {
    const { ids, count } = this;
    const keys = new Float64Array(count);
    for (let row = 0; row < count; row++) {
      const at = ID_SIZE * row;
      const start = ids[at] << 16 | ids[at + 1] << 8 | ids[at + 2];
      keys[row] = start * ROWS_MAX + row;
    }
    const rows = new ObjectRows();
    for (const key of keys.sort()) rows.addRow(this, key % ROWS_MAX);
    return rows;
  }

  #grow(): void {
    const rows = 2 * this.kinds.length;
    const { ids, kinds, sizes } = this;
    this.ids = new Uint8Array(ID_SIZE * rows);
    this.ids.set(ids);
    this.kinds = new Uint8Array(rows);
    this.kinds.set(kinds);
    this.sizes = new Float64Array(rows);
    this.sizes.set(sizes);
  }
}

/** The id of a row. */
export function idOfRow({ ids }: ObjectList, row: number): Uint8Array {
  return ids.slice(ID_SIZE * row, ID_SIZE * row + ID_SIZE);
}

/** Those rows of a list that are marked by 1. */
export function marked(list: ObjectList, marks: Uint8Array): ObjectRows {
  const rows = new ObjectRows();
  for (let row = 0; row < list.count; row++) {
    if (marks[row] === 1) rows.addRow(list, row);
  }
  return rows;
}
