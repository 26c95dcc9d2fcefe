/**
 * What a walk finds: one item after the other, or, for less, batches of them. Each
 * loop begins a walk of its own.
 *
 * @example Sum up sizes
 * ```ts
 * import { Batched } from "@snap/snapshot/view";
 * import { strictEqual } from "node:assert/strict";
 *
 * const sizes = new Batched(async function* () {
 *   yield [1, 2];
 *   yield [3];
 * });
 * let sum = 0;
 * for await (const size of sizes) sum += size;
 * for await (const batch of sizes.batches()) sum += batch.length;
 * strictEqual(sum, 9);
 * ```
 */
export class Batched<T> implements AsyncIterable<T> {
  readonly #begin: () => AsyncGenerator<T[], void, void>;

  /**
   * Begins nothing yet.
   *
   * @param begin Begins a walk.
   */
  constructor(begin: () => AsyncGenerator<T[], void, void>) {
    this.#begin = begin;
  }

  /** Gives the items in batches, which are never empty. */
  batches(): AsyncGenerator<T[], void, void> {
    return this.#begin();
  }

  /** Gives the items. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for await (const batch of this.batches()) yield* batch;
  }
}
