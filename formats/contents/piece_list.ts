import type { ViewEntry } from "@snap/snapshot/view";
import { BATCH_SIZE, type ContentPiece } from "./content_batch.ts";

/** Runs of files that are wanted, cut into pieces when they are taken. */
export class PieceList {
  /** Bytes that were not taken yet. */
  byteCount = 0;
  readonly #files: { entry: ViewEntry; runs: readonly number[] }[] = [];
  /** The file, its run and the byte of that which come next. */
  #file = 0;
  #run = 0;
  #at = 0;

  /**
   * Adds runs of a file.
   *
   * @param runs Pairs of offset and size.
   */
  push(entry: ViewEntry, runs: readonly number[]): void {
    for (let i = 1; i < runs.length; i += 2) this.byteCount += runs[i];
    this.#files.push({ entry, runs });
  }

  /**
   * Gives the next piece without taking it.
   *
   * @returns The piece; `undefined` where nothing is wanted.
   */
  peek(): ContentPiece | undefined {
    for (;;) {
      const file = this.#files[this.#file];
      if (file === undefined) return undefined;
      const { entry, runs } = file;
      if (this.#run >= runs.length) {
        this.#nextFile();
        continue;
      }
      const left = runs[this.#run + 1] - this.#at;
      if (left > 0) {
        const offset = runs[this.#run] + this.#at;
        return { entry, offset, length: Math.min(left, BATCH_SIZE) };
      }
      this.#run += 2;
      this.#at = 0;
    }
  }

  /** Takes the piece that was given last. */
  take({ length }: ContentPiece): void {
    this.#at += length;
    this.byteCount -= length;
  }

  #nextFile(): void {
    this.#run = 0;
    this.#file++;
    // What was taken goes, now and then.
    if (this.#file < 256 && this.#file < this.#files.length) return;
    this.#files.splice(0, this.#file);
    this.#file = 0;
  }
}
