import type { FileExtras } from "../messages.ts";
import type { WantedNumbers } from "./wanted_attributes.ts";
import { joinPath } from "@snap/manifest/path";

const NEW = 1;
const FRESH = 2;

/** Directories of a restore with what they are to have: some 50 bytes each and their names. */
export class DirectoryTable {
  readonly #xattrs: Map<number, FileExtras["xattrs"]> = new Map();
  #count = 0;
  #parents = new Int32Array(256);
  #ends = new Float64Array(256);
  #modes = new Uint32Array(256);
  #uids = new Uint32Array(256);
  #gids = new Uint32Array(256);
  #mtimeSecs = new Float64Array(256);
  #mtimeNs = new Uint32Array(256);
  /** Bits: whether this restore made it, and those above it. */
  #made = new Uint8Array(256);
  #names = new Uint8Array(4096);

  /** How many there are; the one with number 0 is the target. */
  get count(): number {
    return this.#count;
  }

  /** Adds a directory, after the one above it. */
  add(
    parent: number,
    name: Uint8Array,
    numbers: WantedNumbers,
    isNew: boolean,
  ): number {
    const number = this.#count++;
    if (number === this.#parents.length) this.#grow();
    const start = number === 0 ? 0 : this.#ends[number - 1];
    const end = start + name.length;
    if (end > this.#names.length) this.#names = grown(this.#names);
    this.#names.set(name, start);
    this.#ends[number] = end;
    this.#parents[number] = parent;
    this.#modes[number] = numbers.mode;
    this.#uids[number] = numbers.uid;
    this.#gids[number] = numbers.gid;
    this.#mtimeSecs[number] = numbers.mtimeSec;
    this.#mtimeNs[number] = numbers.mtimeNs;
    const isFresh = isNew && (parent === 0 || this.isFresh(parent));
    this.#made[number] = (isNew ? NEW : 0) | (isFresh ? FRESH : 0);
    return number;
  }

  /** The number of the directory above; -1 for the target. */
  parent(number: number): number {
    return this.#parents[number];
  }

  /** Whether this restore made it. */
  isNew(number: number): boolean {
    return (this.#made[number] & NEW) !== 0;
  }

  /** Whether this restore made it and all above it below the target. */
  isFresh(number: number): boolean {
    return number >= 0 && (this.#made[number] & FRESH) !== 0;
  }

  /** Sets the extended attributes that a directory is to have, which are none otherwise. */
  setXattrs(number: number, xattrs: FileExtras["xattrs"]): void {
    if (xattrs?.length !== 0) this.#xattrs.set(number, xattrs);
  }

  /** The extended attributes that it is to have; nothing if it keeps those it has. */
  xattrs(number: number): FileExtras["xattrs"] {
    return this.#xattrs.has(number) ? this.#xattrs.get(number) : [];
  }

  name(number: number): Uint8Array {
    const start = number === 0 ? 0 : this.#ends[number - 1];
    return this.#names.subarray(start, this.#ends[number]);
  }

  /** Its path relative to the target. */
  path(number: number): Uint8Array {
    const parent = this.#parents[number];
    return parent < 0
      ? new Uint8Array(0)
      : joinPath(this.path(parent), this.name(number));
  }

  /** Attributes that it is to have. */
  numbers(number: number): WantedNumbers {
    return {
      mode: this.#modes[number],
      uid: this.#uids[number],
      gid: this.#gids[number],
      mtimeSec: this.#mtimeSecs[number],
      mtimeNs: this.#mtimeNs[number],
    };
  }

  #grow(): void {
    this.#parents = grown(this.#parents);
    this.#ends = grown(this.#ends);
    this.#modes = grown(this.#modes);
    this.#uids = grown(this.#uids);
    this.#gids = grown(this.#gids);
    this.#mtimeSecs = grown(this.#mtimeSecs);
    this.#mtimeNs = grown(this.#mtimeNs);
    this.#made = grown(this.#made);
  }
}

function grown<
  Column extends Int32Array | Float64Array | Uint32Array | Uint8Array,
>(column: Column): Column {
  const larger = new (column.constructor as new (size: number) => Column)(
    2 * column.length,
  );
  larger.set(column);
  return larger;
}
