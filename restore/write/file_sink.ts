import type { TargetFile } from "@snap/disk/target";
import type { ContentSink } from "@snap/pack/recipe-content";

const ZEROS = new Uint8Array(256 * 1024);

/** Writes content into a file of a target, and leaves its holes out. */
export class FileSink implements ContentSink {
  readonly #file: TargetFile;
  readonly #holes: Float64Array | undefined;
  #hole = 0;

  constructor(file: TargetFile, holes: Float64Array | undefined) {
    this.#file = file;
    this.#holes = holes;
  }

  /** @inheritDoc */
  write(bytes: Uint8Array, offset: number): void {
    if (this.#holes === undefined) this.#file.write(bytes, offset);
    else this.#file.writeSparse(bytes, offset, this.#holes);
  }

  /** @inheritDoc */
  writeZeros(size: number, offset: number): void {
    const holes = this.#holes;
    const end = offset + size;
    let at = offset;
    while (holes !== undefined && at < end && this.#hole < holes.length) {
      const start = holes[this.#hole];
      const stop = start + holes[this.#hole + 1];
      if (start >= end) break;
      if (start > at) this.#fill(at, start);
      at = Math.max(at, Math.min(stop, end));
      if (stop > end) break;
      this.#hole += 2;
    }
    this.#fill(at, end);
  }

  /** Ends the file where it is to end. */
  finish(size: number): void {
    if (this.#holes !== undefined) this.#file.setSize(size);
  }

  #fill(start: number, end: number): void {
    for (let at = start; at < end;) {
      const size = Math.min(end - at, ZEROS.length);
      this.#file.write(
        size === ZEROS.length ? ZEROS : ZEROS.subarray(0, size),
        at,
      );
      at += size;
    }
  }
}
