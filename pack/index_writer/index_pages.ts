import { crc32 } from "../crc32.ts";
import type { HashStream } from "@snap/hash";
import { setU32 } from "../bytes.ts";
import { INDEX_PAGE_SIZE } from "../index/index_table.ts";

const BLOCK_SIZE = 64 * INDEX_PAGE_SIZE;

/** Writes the pages of a table, in blocks, and hashes what it writes. */
export class IndexPageWriter {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #hash: HashStream;
  readonly #block = new Uint8Array(BLOCK_SIZE);
  #page = 0;
  #end = 0;
  size = 0;

  constructor(write: (bytes: Uint8Array) => void, hash: HashStream) {
    this.#write = write;
    this.#hash = hash;
  }

  /** Writes bytes as they are. */
  append(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#write(bytes);
    this.size += bytes.length;
  }

  /** Space for a row in the page that is being filled. */
  place(rowSize: number): number {
    if (this.#end + rowSize > INDEX_PAGE_SIZE - 4) this.endPage();
    const at = this.#page + this.#end;
    this.#end += rowSize;
    return at;
  }

  /** Bytes that `place` gave space in. */
  get bytes(): Uint8Array {
    return this.#block;
  }

  /** Closes the page, where there is one. */
  endPage(): void {
    if (this.#end === 0) return;
    const crcStart = this.#page + INDEX_PAGE_SIZE - 4;
    const crc = crc32(this.#block.subarray(this.#page, crcStart));
    setU32(this.#block, crcStart, crc);
    this.#page += INDEX_PAGE_SIZE;
    this.#end = 0;
    if (this.#page === BLOCK_SIZE) this.flush();
  }

  /** Writes the pages that are closed. */
  flush(): void {
    if (this.#page > 0) this.append(this.#block.subarray(0, this.#page));
    this.#block.fill(0);
    this.#page = 0;
  }
}
