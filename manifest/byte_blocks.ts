const BLOCK_SIZE = 1 << 16;

/** Bytes that are appended, in blocks: growing copies nothing. */
export class ByteBlocks {
  #blocks: Uint8Array[] = [];
  #size = 0;

  /** Bytes so far. */
  get size(): number {
    return this.#size;
  }

  /** Appends bytes. */
  append(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length;) {
      const free = this.#free();
      const end = Math.min(bytes.length, start + free.length);
      free.set(bytes.subarray(start, end));
      this.#size += end - start;
      start = end;
    }
  }

  /** Gives a run of bytes, piece by piece. */
  *pieces(start: number, end: number): Generator<Uint8Array> {
    for (let at = start; at < end;) {
      const block = this.#blocks[Math.floor(at / BLOCK_SIZE)];
      const from = at % BLOCK_SIZE;
      const to = Math.min(BLOCK_SIZE, from + end - at);
      yield block.subarray(from, to);
      at += to - from;
    }
  }

  /** Says whether bytes stand at an offset. */
  holds(at: number, bytes: Uint8Array): boolean {
    if (at + bytes.length > this.#size) return false;
    for (let i = 0; i < bytes.length; i++) {
      const block = this.#blocks[Math.floor((at + i) / BLOCK_SIZE)];
      if (block[(at + i) % BLOCK_SIZE] !== bytes[i]) return false;
    }
    return true;
  }

  /** Room at the end. The first block is small: most directories have few links. */
  #free(): Uint8Array {
    const used = this.#size % BLOCK_SIZE;
    const last = Math.floor(this.#size / BLOCK_SIZE);
    let block = this.#blocks[last];
    if (block === undefined) {
      block = new Uint8Array(last === 0 ? 256 : BLOCK_SIZE);
      this.#blocks[last] = block;
    } else if (used === block.length) {
      block = new Uint8Array(Math.min(BLOCK_SIZE, 4 * used));
      block.set(this.#blocks[last]);
      this.#blocks[last] = block;
    }
    return block.subarray(used);
  }
}
