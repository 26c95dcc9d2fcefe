import { compareBytes } from "@snap/hash";
import { Column } from "./column.ts";
import { EntryError } from "./entry_error.ts";

/** Bytes of names that are made room for at once. */
const PAGE_SIZE = 1 << 20;
/** Most pages: where a name begins is a number of 32 bits. */
const PAGES_MAX = 4096;
/** Slots that there are at first. */
const SLOTS_MIN = 1024;
/** A slot that a name has left. */
const LEFT = -1;

/**
 * Names of directories, and what each stands for: a character for each byte. About
 * 50 bytes of memory each, beside the name.
 */
export class NameTable {
  /** Rows that were made; those of names that are gone are not used again. */
  #count = 0;
  readonly #directories = new Column(Uint32Array);
  readonly #nodes = new Column(Uint32Array);
  readonly #hashes = new Column(Uint32Array);
  readonly #starts = new Column(Uint32Array);
  readonly #lengths = new Column(Uint8Array);
  /** The rows before and behind in the same directory, each with 1 added. */
  readonly #before = new Column(Uint32Array);
  readonly #behind = new Column(Uint32Array);
  /** The first row of each directory, with 1 added. */
  readonly #firsts = new Column(Uint32Array);
  readonly #pages: Uint8Array[] = [];
  #pageEnd = PAGE_SIZE;
  /** Rows by their hashes, each with 1 added. */
  #slots = new Int32Array(SLOTS_MIN);
  #usedCount = 0;
  /** Nobody who chooses names knows which names meet in a slot. */
  readonly #seed = Math.random() * 2 ** 32 | 0;

  /**
   * Finds a name.
   *
   * @returns What it stands for; `undefined` if it is not there.
   */
  find(directory: number, name: string): number | undefined {
    const row = this.#slots[this.#slotOf(directory, name)] - 1;
    return row < 0 ? undefined : this.#nodes.get(row);
  }

  /** Says what a name stands for, also one that is there. */
  set(directory: number, name: string, node: number): void {
    const slot = this.#slotOf(directory, name);
    const known = this.#slots[slot] - 1;
    if (known >= 0) return this.#nodes.set(known, node);
    const row = this.#count++;
    this.#directories.set(row, directory);
    this.#nodes.set(row, node);
    this.#hashes.set(row, this.#hash(directory, name));
    this.#lengths.set(row, name.length);
    this.#starts.set(row, this.#keep(name));
    const first = this.#firsts.get(directory);
    this.#behind.set(row, first);
    if (first > 0) this.#before.set(first - 1, row + 1);
    this.#firsts.set(directory, row + 1);
    this.#slots[slot] = row + 1;
    this.#usedCount++;
    if (3 * this.#usedCount > 2 * this.#slots.length) this.#rehash();
  }

  /** Removes a name; nothing where there is none. */
  delete(directory: number, name: string): void {
    const slot = this.#slotOf(directory, name);
    const row = this.#slots[slot] - 1;
    if (row < 0) return;
    this.#slots[slot] = LEFT;
    this.#lengths.set(row, 0);
    const before = this.#before.get(row), behind = this.#behind.get(row);
    if (behind > 0) this.#before.set(behind - 1, before);
    if (before > 0) this.#behind.set(before - 1, behind);
    else this.#firsts.set(directory, behind);
  }

  /** Whether a directory has any name. */
  has(directory: number): boolean {
    return this.#firsts.get(directory) > 0;
  }

  /** Gives the names of a directory, in no order. */
  list(directory: number): string[] {
    return Array.from(this.#rowsOf(directory), (row) => {
      return String.fromCharCode(...this.nameBytes(row));
    });
  }

  /**
   * Gives the rows of a directory in the order of the bytes of their names. They
   * are good until a name is set or deleted.
   */
  sorted(directory: number): Uint32Array {
    const rows = Uint32Array.from(this.#rowsOf(directory));
    return rows.sort((a, b) =>
      compareBytes(this.nameBytes(a), this.nameBytes(b))
    );
  }

  /** The bytes of the name of a row, a view. */
  nameBytes(row: number): Uint8Array {
    const start = this.#starts.get(row);
    const at = start % PAGE_SIZE;
    const page = this.#pages[(start - at) / PAGE_SIZE];
    return page.subarray(at, at + this.#lengths.get(row));
  }

  /** What the name of a row stands for. */
  node(row: number): number {
    return this.#nodes.get(row);
  }

  *#rowsOf(directory: number): Generator<number, void> {
    let next = this.#firsts.get(directory);
    for (; next > 0; next = this.#behind.get(next - 1)) yield next - 1;
  }

  /** The slot of a name: that which it has, or would have. */
  #slotOf(directory: number, name: string): number {
    const hash = this.#hash(directory, name);
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask;; slot = (slot + 1) & mask) {
      const row = this.#slots[slot] - 1;
      if (row === -1) return slot;
      if (row >= 0 && this.#isNamed(row, hash, directory, name)) return slot;
    }
  }

  #isNamed(
    row: number,
    hash: number,
    directory: number,
    name: string,
  ): boolean {
    if (this.#hashes.get(row) !== hash) return false;
    if (this.#directories.get(row) !== directory) return false;
    const bytes = this.nameBytes(row);
    if (bytes.length !== name.length) return false;
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] !== name.charCodeAt(i)) return false;
    }
    return true;
  }

  /** The hash FNV-1a with a seed, mixed, as slots go by its lower bits. */
  #hash(directory: number, name: string): number {
    let hash = Math.imul(this.#seed ^ directory, 0x01000193);
    for (let i = 0; i < name.length; i++) {
      hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
    }
    return (hash ^ (hash >>> 15)) >>> 0;
  }

  #keep(name: string): number {
    if (this.#pageEnd + name.length > PAGE_SIZE) {
      if (this.#pages.length === PAGES_MAX) {
        throw new EntryError(undefined, "their names have more than 4 GiB");
      }
      this.#pages.push(new Uint8Array(PAGE_SIZE));
      this.#pageEnd = 0;
    }
    const page = this.#pages[this.#pages.length - 1];
    const at = this.#pageEnd;
    for (let i = 0; i < name.length; i++) page[at + i] = name.charCodeAt(i);
    this.#pageEnd = at + name.length;
    return (this.#pages.length - 1) * PAGE_SIZE + at;
  }

  /** Makes more slots, and none that a name has left. */
  #rehash(): void {
    const old = this.#slots;
    let held = 0;
    for (const one of old) if (one > 0) held++;
    const isSparse = 3 * held < old.length;
    this.#slots = new Int32Array(isSparse ? old.length : 2 * old.length);
    const mask = this.#slots.length - 1;
    for (const one of old) {
      if (one <= 0) continue;
      let slot = this.#hashes.get(one - 1) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = one;
    }
    this.#usedCount = held;
  }
}
