import { closeSync, openSync, readSync, writeSync } from "node:fs";
import type { WritableBytes } from "@snap/manifest";
import { removeQuietly } from "@snap/store/owner";
import { spooling } from "@snap/pack/ranges";

const PAGE_SIZE = 1 << 16;
/** Pages in memory: more than a tree and an attribute page have columns. */
const SLOT_COUNT = 32;
const NO_SLOT = -1;

/** Bytes in a file without a name, a few pages of it in memory. */
export class SpillFile implements WritableBytes, Disposable {
  /** How many bytes there are. */
  readonly size: number;
  readonly #path: string;
  readonly #onClose: (bytes: SpillFile) => void;
  readonly #cache = new Uint8Array(SLOT_COUNT * PAGE_SIZE);
  readonly #view = new DataView(this.#cache.buffer);
  /** The slot of each page. */
  readonly #slots: Int16Array;
  /** The page in each slot. */
  readonly #pages = new Int32Array(SLOT_COUNT).fill(-1);
  readonly #isDirty = new Uint8Array(SLOT_COUNT);
  readonly #isUsed = new Uint8Array(SLOT_COUNT);
  #hand = 0;
  /** Bytes of the file so far; zeros follow. */
  #fileSize = 0;
  #descriptor: number;

  /**
   * Makes the file.
   *
   * @param path Where there is no file yet.
   * @param onClose Told when the file is closed.
   * @throws {StoreError} If the file cannot be made.
   */
  constructor(
    path: string,
    size: number,
    onClose: (bytes: SpillFile) => void = () => {},
  ) {
    this.size = size;
    this.#path = path;
    this.#onClose = onClose;
    this.#slots = new Int16Array(Math.ceil(size / PAGE_SIZE)).fill(NO_SLOT);
    this.#descriptor = spooling(path, () => openSync(path, "wx+", 0o600));
    removeQuietly(path);
  }

  /** Reads a number of 8 bits. */
  u8(at: number): number {
    return this.#cache[this.#locate(at)];
  }

  /** Reads a number of 16 bits. */
  u16(at: number): number {
    return at % PAGE_SIZE < PAGE_SIZE - 1
      ? this.#view.getUint16(this.#locate(at), true)
      : this.u8(at) + this.u8(at + 1) * 2 ** 8;
  }

  /** Reads a number of 32 bits. */
  u32(at: number): number {
    return at % PAGE_SIZE < PAGE_SIZE - 3
      ? this.#view.getUint32(this.#locate(at), true)
      : this.u8(at) + this.u8(at + 1) * 2 ** 8 + this.u8(at + 2) * 2 ** 16 +
        this.u8(at + 3) * 2 ** 24;
  }

  /** Gives bytes page by page. */
  *pieces(start: number, end: number): Generator<Uint8Array> {
    for (let at = start; at < end;) {
      const size = Math.min(end - at, PAGE_SIZE - at % PAGE_SIZE);
      const from = this.#locate(at);
      yield this.#cache.subarray(from, from + size);
      at += size;
    }
  }

  /**
   * Writes the lower 16 bits of a number.
   *
   * @param at Its offset, which is even.
   */
  setU16(at: number, value: number): void {
    this.#view.setUint16(this.#locateToWrite(at), value, true);
  }

  /**
   * Writes a number modulo 2^32.
   *
   * @param at Its offset, a multiple of 4.
   */
  setU32(at: number, value: number): void {
    this.#view.setUint32(this.#locateToWrite(at), value, true);
  }

  /** Writes a run of bytes. */
  write(at: number, bytes: Uint8Array, start: number, end: number): void {
    while (start < end) {
      const size = Math.min(end - start, PAGE_SIZE - at % PAGE_SIZE);
      const to = this.#locateToWrite(at);
      for (let i = 0; i < size; i++) this.#cache[to + i] = bytes[start + i];
      start += size;
      at += size;
    }
  }

  /** Closes the file, which ends it. */
  [Symbol.dispose](): void {
    if (this.#descriptor < 0) return;
    const descriptor = this.#descriptor;
    this.#descriptor = -1;
    this.#onClose(this);
    closeSync(descriptor);
  }

  #locateToWrite(at: number): number {
    const place = this.#locate(at);
    this.#isDirty[Math.floor(place / PAGE_SIZE)] = 1;
    return place;
  }

  /** Where a byte is in the cache. */
  #locate(at: number): number {
    const page = (at / PAGE_SIZE) | 0;
    if (!(at >= 0 && at < this.size)) {
      throw new RangeError(
        `Byte ${at} is out of range: size ${this.size}`,
      );
    }
    let slot = this.#slots[page];
    if (slot === NO_SLOT) slot = this.#load(page);
    this.#isUsed[slot] = 1;
    return (slot - page) * PAGE_SIZE + at;
  }

  #load(page: number): number {
    const slot = this.#freeSlot();
    this.#slots[page] = slot;
    this.#pages[slot] = page;
    const start = slot * PAGE_SIZE, offset = page * PAGE_SIZE;
    const size = Math.min(PAGE_SIZE, Math.max(0, this.#fileSize - offset));
    let read = 0;
    while (read < size) {
      const count = spooling(this.#path, () =>
        readSync(
          this.#descriptor,
          this.#cache,
          start + read,
          size - read,
          offset + read,
        ));
      if (count === 0) break;
      read += count;
    }
    this.#cache.fill(0, start + read, start + PAGE_SIZE);
    return slot;
  }

  /** The first slot that was not used since the hand came by last. */
  #freeSlot(): number {
    while (this.#isUsed[this.#hand] === 1) {
      this.#isUsed[this.#hand] = 0;
      this.#hand = (this.#hand + 1) % SLOT_COUNT;
    }
    const slot = this.#hand;
    this.#hand = (slot + 1) % SLOT_COUNT;
    const page = this.#pages[slot];
    if (page < 0) return slot;
    if (this.#isDirty[slot] === 1) this.#flush(slot, page);
    this.#slots[page] = NO_SLOT;
    return slot;
  }

  #flush(slot: number, page: number): void {
    const start = slot * PAGE_SIZE, offset = page * PAGE_SIZE;
    const size = Math.min(PAGE_SIZE, this.size - offset);
    for (let written = 0; written < size;) {
      written += spooling(this.#path, () =>
        writeSync(
          this.#descriptor,
          this.#cache,
          start + written,
          size - written,
          offset + written,
        ));
    }
    this.#isDirty[slot] = 0;
    this.#fileSize = Math.max(this.#fileSize, offset + size);
  }
}

/** The spill files of a save, beside its packs; what is open at the end is closed. */
export class SpillFiles implements Disposable {
  readonly #spoolPath: string;
  readonly #open = new Set<SpillFile>();
  #count = 0;

  /**
   * Makes no file yet.
   *
   * @param spoolPath The beginning of the paths.
   */
  constructor(spoolPath: string) {
    this.#spoolPath = spoolPath;
  }

  /**
   * Makes a file.
   *
   * @returns The file, full of zeros.
   * @throws {StoreError} If the file cannot be made.
   */
  make(size: number): SpillFile {
    const path = `${this.#spoolPath}-paged-${this.#count++}`;
    const bytes = new SpillFile(path, size, (one) => this.#open.delete(one));
    this.#open.add(bytes);
    return bytes;
  }

  /** Closes all files. */
  [Symbol.dispose](): void {
    for (const bytes of this.#open) bytes[Symbol.dispose]();
  }
}
