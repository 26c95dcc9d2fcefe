import type { RandomBytes } from "../random_bytes.ts";

/** Numbers of a piece. */
const PIECE_COUNT = 4096;

/** The rows of a draft that are kept: runs of them, as pairs of the first and one past the last. */
export class KeptRows {
  readonly #runs: readonly number[];
  /** How many rows are kept. */
  readonly count: number;

  constructor(runs: readonly number[]) {
    this.#runs = runs;
    let count = 0;
    for (let i = 0; i < runs.length; i += 2) count += runs[i + 1] - runs[i];
    this.count = count;
  }

  /** Finds the rows below `count` that are not 0 in a column. */
  static of(column: Uint8Array, count: number): KeptRows {
    const runs: number[] = [];
    for (let row = 0, isOpen = false; row <= count; row++) {
      const isKept = row < count && column[row] !== 0;
      if (isKept === isOpen) continue;
      runs.push(row);
      isOpen = isKept;
    }
    return new KeptRows(runs);
  }

  /** These rows after one more that is kept. */
  afterOne(): KeptRows {
    const runs = this.#runs.map((row) => row + 1);
    if (runs[0] === 1) runs[0] = 0;
    else runs.unshift(0, 1);
    return new KeptRows(runs);
  }

  /** Gives what belongs to each run, piece by piece. */
  pieces(
    piecesOf: (first: number, end: number) => Iterable<Uint8Array>,
  ): Iterable<Uint8Array> {
    const runs = this.#runs;
    // Nearly always all rows are kept.
    return runs.length === 2
      ? piecesOf(runs[0], runs[1])
      : this.#piecesOfRuns(piecesOf);
  }

  *#piecesOfRuns(
    piecesOf: (first: number, end: number) => Iterable<Uint8Array>,
  ): Generator<Uint8Array> {
    const runs = this.#runs;
    for (let i = 0; i < runs.length; i += 2) {
      yield* piecesOf(runs[i], runs[i + 1]);
    }
  }

  /** Gives the cells of a column, which begins at `start`, piece by piece. */
  cells(bytes: RandomBytes, start: number, size: number): Iterable<Uint8Array> {
    return this.pieces((first, end) =>
      bytes.pieces(start + size * first, start + size * end)
    );
  }

  /** Calls back for each row. */
  forEach(onRow: (row: number) => void): void {
    for (let i = 0; i < this.#runs.length; i += 2) {
      for (let row = this.#runs[i]; row < this.#runs[i + 1]; row++) onRow(row);
    }
  }

  /** Gives a number for each row that has one, piece by piece. */
  *numbers(
    numberOf: (row: number) => number | undefined,
  ): Generator<Uint8Array> {
    const count = Math.min(PIECE_COUNT, this.count);
    const piece = new Uint8Array(4 * count);
    const view = new DataView(piece.buffer);
    let size = 0;
    for (let i = 0; i < this.#runs.length; i += 2) {
      for (let row = this.#runs[i]; row < this.#runs[i + 1]; row++) {
        const number = numberOf(row);
        if (number === undefined) continue;
        view.setUint32(size, number, true);
        size += 4;
        if (size < piece.length) continue;
        yield piece;
        size = 0;
      }
    }
    if (size > 0) yield piece.subarray(0, size);
  }
}
