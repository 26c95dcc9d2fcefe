import { DirectoryEntries } from "@snap/posix";
import type { DiskCalls } from "./disk_calls.ts";
import { free } from "./free.ts";
import { type NameHeap, sortNamesInSteps } from "./sort_names.ts";

/** Calls that read entries between two steps: each gives some thousand at most. */
const READS_A_STEP = 8;
/** Rows whose room is kept for the next directory. */
const ROWS_KEPT_MAX = 1 << 16;

/** The entries of one directory after another, in buffers that are used again. */
export class Listing implements NameHeap {
  bytes: Uint8Array = new Uint8Array(1 << 17);
  starts: Uint32Array = new Uint32Array(1 << 10);
  ends: Uint32Array = new Uint32Array(1 << 10);
  types: Uint8Array = new Uint8Array(1 << 10);
  count = 0;
  /** Row numbers in ascending byte order of names. */
  order: Uint32Array = new Uint32Array(1 << 10);
  /** Whether a directory is being read. */
  isInUse = false;
  #spare: Uint32Array = new Uint32Array(1 << 10);
  #entries: DirectoryEntries | undefined;

  /** These buffers, or new ones while a directory is being read into these. */
  unused(): Listing {
    return this.isInUse ? new Listing() : this;
  }

  /**
   * Reads and sorts the entries of an open directory.
   *
   * @returns 0, or a negative error number; what was read before it counts.
   */
  read(calls: DiskCalls, fd: number): number {
    const steps = this.readInSteps(calls, fd);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
    }
  }

  /**
   * Reads as `read` does, a step at a time.
   *
   * @returns What yields between two steps, then returns 0, or a negative error number; what was
   *   read before it counts.
   */
  *readInSteps(calls: DiskCalls, fd: number): Generator<void, number> {
    this.#entries ??= new DirectoryEntries();
    const entries = this.#entries;
    this.count = 0;
    let size = 0;
    let result = 0;
    let reads = 0;
    while ((result = calls.directoryEntries(fd, entries)) > 0) {
      size = this.#append(entries, size);
      if (++reads % READS_A_STEP === 0) yield;
    }
    yield* this.#sort();
    return result;
  }

  /** Frees room that only a very wide directory needs. */
  shrink(): void {
    if (this.starts.length <= ROWS_KEPT_MAX) return;
    this.count = 0;
    free(this.bytes, this.starts, this.ends, this.types);
    free(this.order, this.#spare);
    this.bytes = new Uint8Array(1 << 17);
    this.starts = new Uint32Array(1 << 10);
    this.ends = new Uint32Array(1 << 10);
    this.types = new Uint8Array(1 << 10);
    this.order = new Uint32Array(1 << 10);
    this.#spare = new Uint32Array(1 << 10);
  }

  /**
   * Looks a name up after `read`.
   *
   * @returns Its number, or -1.
   */
  find(name: Uint8Array): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const row = this.order[middle];
      const difference = this.#compare(row, name);
      if (difference === 0) return row;
      if (difference < 0) low = middle + 1;
      else high = middle;
    }
    return -1;
  }

  #compare(row: number, name: Uint8Array): number {
    const start = this.starts[row];
    const size = this.ends[row] - start;
    for (let i = 0; i < size && i < name.length; i++) {
      const difference = this.bytes[start + i] - name[i];
      if (difference !== 0) return difference;
    }
    return size - name.length;
  }

  /**
   * Copies what one call has read to the end, in a function of its own: V8 leaves its optimized
   * code at the end of each hot loop of a generator.
   *
   * @returns The size of all names.
   */
  #append(entries: DirectoryEntries, size: number): number {
    this.#reserve(this.count + entries.count, size + entries.bytes.length);
    for (let i = 0; i < entries.count; i++) {
      const row = this.count++;
      this.types[row] = entries.types[i];
      this.starts[row] = size;
      const end = entries.nameEnds[i];
      for (let at = entries.nameStarts[i]; at < end; at++) {
        this.bytes[size++] = entries.bytes[at];
      }
      this.ends[row] = size;
    }
    return size;
  }

  *#sort(): Generator<void> {
    if (this.order.length < this.count) {
      this.order = new Uint32Array(this.starts.length);
      this.#spare = new Uint32Array(this.starts.length);
    }
    const sorted = yield* sortNamesInSteps(
      this,
      this.count,
      this.order,
      this.#spare,
    );
    if (sorted !== this.order) {
      this.#spare = this.order;
      this.order = sorted;
    }
  }

  #reserve(rows: number, size: number): void {
    if (size > this.bytes.length) {
      const bytes = new Uint8Array(Math.max(size, 2 * this.bytes.length));
      bytes.set(this.bytes);
      free(this.bytes);
      this.bytes = bytes;
    }
    if (rows <= this.starts.length) return;
    const rowsMax = Math.max(rows, 2 * this.starts.length);
    this.starts = grow(this.starts, rowsMax);
    this.ends = grow(this.ends, rowsMax);
    const types = new Uint8Array(rowsMax);
    types.set(this.types);
    free(this.types);
    this.types = types;
  }
}

function grow(from: Uint32Array, size: number): Uint32Array {
  const to = new Uint32Array(size);
  to.set(from);
  free(from);
  return to;
}
