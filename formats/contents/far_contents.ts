import type { View, ViewEntry } from "@snap/snapshot/view";
import type { StoreOptions } from "@snap/store";
import type { Contents } from "./contents.ts";
import { PieceList } from "./piece_list.ts";

/** Pieces, and bytes of them, that are on their way at once. */
const COUNT_MAX = 32;
const SIZE_MAX = 16 << 20;

/** Contents of a store that is far away: the next ones are on their way meanwhile. */
export class FarContents implements Contents {
  readonly #view: View;
  readonly #options: StoreOptions;
  readonly #pieces = new PieceList();
  readonly #reads: {
    readonly bytes: Promise<Uint8Array>;
    readonly length: number;
  }[] = [];
  #size = 0;

  /** Reads nothing yet. */
  constructor(view: View, options: StoreOptions) {
    this.#view = view;
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#pieces.byteCount > 0;
  }

  want(entry: ViewEntry, runs: readonly number[]): void {
    this.#pieces.push(entry, runs);
    this.#start();
  }

  async next(): Promise<Uint8Array> {
    const { bytes, length } = this.#reads[0];
    try {
      return await bytes;
    } finally {
      this.#reads.shift();
      this.#size -= length;
      this.#start();
    }
  }

  #start(): void {
    for (;;) {
      const piece = this.#pieces.peek();
      const isFull = this.#reads.length >= COUNT_MAX ||
        (this.#reads.length > 0 && this.#size >= SIZE_MAX);
      if (piece === undefined || isFull) return;
      this.#pieces.take(piece);
      const { entry, offset, length } = piece;
      const range = { ...this.#options, offset, length };
      const bytes = this.#view.read(entry, range);
      bytes.catch(() => {}); // Who takes it hears of it.
      this.#reads.push({ bytes, length });
      this.#size += length;
    }
  }

  /** Waits for what is on its way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#reads.map(({ bytes }) => bytes));
  }
}
