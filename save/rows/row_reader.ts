import { readSync } from "node:fs";
import type { Hasher, HashStream } from "@snap/hash";
import { S_IFDIR, S_IFMT } from "@snap/posix/constants";
import { RowSyntaxError } from "./row_error.ts";
import {
  DOUBTFUL,
  ENTRY_SIZE_MAX,
  MAGIC,
  NAME_MAX,
  OPENED,
  ROW_MODE,
  ROW_WORDS,
} from "./row_form.ts";

/** Bytes in memory: many entries, whole words. */
const WINDOW_SIZE = 1 << 18;

/**
 * Reads the directories of a file of rows one after the other. What it reads may be
 * damaged as long as not all of it was hashed.
 */
export class RowReader {
  /** The window as words. */
  readonly words: Uint32Array;
  /** The window, in which the name in hand is. */
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(WINDOW_SIZE);
  /** Where the row in hand begins in the words. */
  rowAt = 0;
  /** Where the name in hand begins in the bytes. */
  nameStart = 0;
  nameEnd = 0;
  /** Whether times of the row in hand prove nothing. */
  isDoubtful = false;
  /** Where the head in hand is in the file. */
  offset: number = MAGIC.length;
  readonly #fd: number;
  readonly #end: number;
  readonly #hash: HashStream;
  #fileAt = MAGIC.length;
  #at = 0;
  #filled = 0;

  /**
   * Stands before the first directory.
   *
   * @param fd The file.
   * @param end Where directories end in it.
   */
  constructor(fd: number, { end, hasher }: { end: number; hasher: Hasher }) {
    this.#fd = fd;
    this.#end = end;
    this.#hash = hasher.stream();
    this.words = new Uint32Array(this.bytes.buffer);
  }

  /** Where the next head is in the file. */
  get nextOffset(): number {
    return this.#fileAt - (this.#filled - this.#at);
  }

  /** Whether the row in hand is of a directory. */
  get isDirectory(): boolean {
    return (this.words[this.rowAt + ROW_MODE] & S_IFMT) === S_IFDIR;
  }

  /**
   * Goes into the next directory.
   *
   * @returns Whether it was opened; then its own row is in hand.
   */
  begin(): boolean {
    const head = this.#head();
    if (head === 0) return false;
    if ((head & ~DOUBTFUL) !== OPENED) throw new RowSyntaxError("a head");
    this.#takeRow(head);
    return true;
  }

  /**
   * Goes to the next entry of the directory.
   *
   * @returns Whether there is one; then it is in hand.
   */
  next(): boolean {
    const head = this.#head();
    if (head === 0) return false;
    const size = head & ~DOUBTFUL;
    if (size > NAME_MAX) throw new RowSyntaxError("the size of a name");
    this.#takeRow(head);
    this.nameStart = this.#at;
    this.nameEnd = this.#at + size;
    this.#at += (size + 3) & ~3;
    if (this.#at > this.#filled) throw new RowSyntaxError("its end");
    return true;
  }

  /**
   * Passes a directory and all below it.
   *
   * @returns Whether it was opened.
   */
  skip(): boolean {
    let waiting = 1;
    let isOpened: boolean | undefined;
    for (; waiting > 0; waiting--) {
      const opened = this.begin();
      isOpened ??= opened;
      while (opened && this.next()) if (this.isDirectory) waiting++;
    }
    return isOpened === true;
  }

  /**
   * Reads the rest.
   *
   * @returns The hash of everything.
   */
  finish(): string {
    if (this.#fileAt < this.#end || this.#at < this.#filled) {
      throw new RowSyntaxError("more directories than there were");
    }
    return this.#hash.digest();
  }

  #head(): number {
    if (this.#filled - this.#at < ENTRY_SIZE_MAX) this.#fill();
    this.offset = this.nextOffset;
    if (this.#at + 4 > this.#filled) throw new RowSyntaxError("its end");
    const head = this.words[this.#at >>> 2];
    this.#at += 4;
    return head;
  }

  #takeRow(head: number): void {
    this.isDoubtful = (head & DOUBTFUL) !== 0;
    this.rowAt = this.#at >>> 2;
    this.#at += 4 * ROW_WORDS;
    if (this.#at > this.#filled) throw new RowSyntaxError("its end");
  }

  #fill(): void {
    const { bytes } = this;
    bytes.copyWithin(0, this.#at, this.#filled);
    this.#filled -= this.#at;
    this.#at = 0;
    while (this.#filled < bytes.length && this.#fileAt < this.#end) {
      const size = Math.min(
        bytes.length - this.#filled,
        this.#end - this.#fileAt,
      );
      const read = readSync(this.#fd, bytes, this.#filled, size, this.#fileAt);
      if (read === 0) throw new RowSyntaxError("its end");
      this.#hash.update(bytes.subarray(this.#filled, this.#filled + read));
      this.#filled += read;
      this.#fileAt += read;
    }
  }
}
