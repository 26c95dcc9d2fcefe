import { ImportError } from "./errors.ts";

/** Most plain bytes of an import, unless it is told otherwise. */
export const IMPORT_SIZE_MAX: number = 2 ** 44;

/**
 * What an import may come to: a few compressed bytes can stand for any number of
 * plain ones, and a map of holes for a file of any size.
 */
export class ImportLimit {
  readonly #sizeMax: number;
  readonly #signal: AbortSignal | undefined;
  #byteCount = 0;

  /** Counts nothing yet. */
  constructor(options: {
    readonly sizeMax?: number | undefined;
    readonly signal?: AbortSignal | undefined;
  }) {
    this.#sizeMax = options.sizeMax ?? IMPORT_SIZE_MAX;
    this.#signal = options.signal;
  }

  /**
   * Counts bytes.
   *
   * @throws {ImportError} If there are more than there may be.
   */
  take(byteCount: number): void {
    this.#byteCount += byteCount;
    if (this.#byteCount <= this.#sizeMax) return;
    throw new ImportError(
      `Cannot import more than ${this.#sizeMax} plain bytes`,
      "--size-max lets more be imported, of what is not meant to do harm",
    );
  }

  /** Gives plain pieces on, and counts them. */
  async *pieces(
    plain: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array, void, void> {
    for await (const piece of plain) {
      this.#signal?.throwIfAborted();
      this.take(piece.length);
      yield piece;
    }
  }
}
