import { DirectoryEntries } from "@snap/posix/directory-entries";
import type { DiskCalls } from "./disk_calls.ts";
import { type NameHeap, sortNames } from "./_sort_names.ts";

/** The entries of one directory after another, in buffers that are used again. */
export class Listing implements NameHeap {
  bytes: Uint8Array = new Uint8Array(1 << 17);
  starts: Uint32Array = new Uint32Array(1 << 10);
  ends: Uint32Array = new Uint32Array(1 << 10);
  types: Uint8Array = new Uint8Array(1 << 10);
  count = 0;
  /** Row numbers in ascending byte order of names. */
  order: Uint32Array = new Uint32Array(1 << 10);
  #spare: Uint32Array = new Uint32Array(1 << 10);
  #entries: DirectoryEntries | undefined;

  /**
   * Reads and sorts the entries of an open directory.
   *
   * @returns 0, or a negative error number; what was read before it counts.
   */
  read(calls: DiskCalls, fd: number): number {
    this.#entries ??= new DirectoryEntries();
    const entries = this.#entries;
    this.count = 0;
    let size = 0;
    let result = 0;
    while ((result = calls.directoryEntries(fd, entries)) > 0) {
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
    }
    this.#sort();
    return result;
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

  #sort(): void {
    const sorted = sortNames(this, this.count, this.order, this.#spare);
    if (sorted !== this.order) {
      this.#spare = this.order;
      this.order = sorted;
    }
  }

  #reserve(rows: number, size: number): void {
    if (size > this.bytes.length) {
      const bytes = new Uint8Array(Math.max(size, 2 * this.bytes.length));
      bytes.set(this.bytes);
      this.bytes = bytes;
    }
    if (rows <= this.starts.length) return;
    const rowsMax = Math.max(rows, 2 * this.starts.length);
    this.starts = grow(this.starts, rowsMax);
    this.ends = grow(this.ends, rowsMax);
    this.order = new Uint32Array(rowsMax);
    this.#spare = new Uint32Array(rowsMax);
    const types = new Uint8Array(rowsMax);
    types.set(this.types);
    this.types = types;
  }
}

function grow(from: Uint32Array, size: number): Uint32Array {
  const to = new Uint32Array(size);
  to.set(from);
  return to;
}
