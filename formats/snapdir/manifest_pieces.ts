/** Bytes of a manifest that are handed out at once. */
const PIECE_SIZE = 64 * 1024;

/** Gathers lines of a manifest into pieces: an array for each line takes thrice its bytes. */
export class ManifestPieces {
  #piece = new Uint8Array(PIECE_SIZE);
  #size = 0;

  /**
   * Adds a line.
   *
   * @returns The piece before it, if that is full.
   */
  add(line: Uint8Array): Uint8Array | undefined {
    const full = this.#size + line.length > PIECE_SIZE
      ? this.take()
      : undefined;
    this.#piece.set(line, this.#size);
    this.#size += line.length;
    return full;
  }

  /** Takes what is left. */
  take(): Uint8Array {
    const piece = this.#piece.subarray(0, this.#size);
    this.#piece = new Uint8Array(PIECE_SIZE);
    this.#size = 0;
    return piece;
  }
}
