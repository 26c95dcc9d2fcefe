import { ArchiveSyntaxError } from "./errors.ts";

/** Bytes that are worth another place to read from. */
const PASS_SIZE_MIN = 16 * 1024 * 1024;
const NONE = new Uint8Array(0);

/** Pieces of an archive that can be passed without being read. */
export interface PassedPieces extends AsyncIterator<Uint8Array> {
  /** Passes bytes behind the pieces that were given. */
  pass?(size: number): void;
}

/** The bytes of an archive, taken from pieces of any size. */
export class ArchiveBytes {
  /** Bytes that were taken. */
  offset = 0;
  readonly #pieces: PassedPieces;
  #piece: Uint8Array = NONE;
  #at = 0;

  /** Takes nothing yet. */
  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /**
   * Takes so many bytes.
   *
   * @param what What they belong to, for an error.
   * @returns A view that is good until more is taken.
   * @throws {ArchiveSyntaxError} If the archive ends before.
   */
  async take(size: number, what?: () => string): Promise<Uint8Array> {
    const view = this.tryTake(size);
    if (view !== undefined) return view;
    const joined = new Uint8Array(size);
    for (let at = 0; at < size;) {
      const piece = await this.some(size - at);
      if (piece.length === 0) {
        throw new ArchiveSyntaxError(
          what !== undefined
            ? `Cannot read ${what()} as the archive ends in it`
            : this.offset === 0
            ? "Cannot read archive as it is empty"
            : "Cannot read archive as it ends too early",
          this.offset,
        );
      }
      joined.set(piece, at);
      at += piece.length;
    }
    return joined;
  }

  /**
   * Takes so many bytes without a wait.
   *
   * @returns A view; `undefined` where they are not at hand.
   */
  tryTake(size: number): Uint8Array | undefined {
    if (this.#piece.length - this.#at < size) return undefined;
    this.offset += size;
    return this.#piece.subarray(this.#at, this.#at += size);
  }

  /**
   * Takes some bytes.
   *
   * @param sizeMax At most so many.
   * @returns A view that is good until more is taken; empty at the end.
   */
  async some(sizeMax: number): Promise<Uint8Array> {
    while (this.#at === this.#piece.length) {
      const { done, value } = await this.#pieces.next();
      if (done) return NONE;
      this.#piece = value;
      this.#at = 0;
    }
    const size = Math.min(sizeMax, this.#piece.length - this.#at);
    return this.tryTake(size)!;
  }

  /**
   * Passes bytes.
   *
   * @param what What they belong to, for an error.
   * @throws {ArchiveSyntaxError} If the archive ends before.
   */
  async skip(size: number, what?: () => string): Promise<void> {
    for (let left = size; left > 0;) {
      const held = this.#piece.length - this.#at;
      if (this.#pieces.pass !== undefined && left > held + PASS_SIZE_MIN) {
        this.#at += held;
        this.#pieces.pass(left - held - 1);
        this.offset += left - 1;
        left = 1; // Which tells whether the archive ends before.
      }
      const piece = await this.some(left);
      if (piece.length === 0) await this.take(1, what);
      left -= piece.length;
    }
  }
}
