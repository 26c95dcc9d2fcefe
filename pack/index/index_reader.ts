/**
 * The one loop that asks an index until it has the pages that it needs.
 *
 * @module
 */
import { isPageRequest, type PageRequest } from "../location.ts";
import { type Ranges, useSound } from "../ranges/ranges.ts";
import type { ObjectIndex } from "./object_index.ts";

/** Source of the pages of an {@linkcode IndexReader}. */
export interface IndexReaderOptions {
  /** Bytes of the store. */
  readonly ranges: Pick<Ranges, "take" | "distrust">;
  /**
   * Takes note of a page that cannot be had, so that the index does without it; the
   * error is thrown if it is left out.
   */
  readonly onFault?: (request: PageRequest, error: unknown) => void;
}

/** An index, and the bytes of its pages. */
export class IndexReader {
  /** The index. */
  readonly index: ObjectIndex;
  readonly #options: IndexReaderOptions;

  /**
   * Makes a reader; no page is read yet.
   *
   * @param index The index
   * @param options What pages are read from
   */
  constructor(index: ObjectIndex, options: IndexReaderOptions) {
    this.index = index;
    this.#options = options;
  }

  /**
   * Asks the index, and gives it each page that it needs.
   *
   * @param question Asks it
   * @returns The answer, or the request for a page that is on its way
   * @throws {IndexSyntaxError} If a page is damaged, and nobody takes note of it
   */
  ask<Answer extends object | undefined>(
    question: () => Answer | PageRequest,
  ): Answer | PageRequest {
    for (;;) {
      const answer = question();
      if (!isPageRequest(answer) || !this.#give(answer)) return answer;
    }
  }

  /** Gives a page to the index; false while it is on its way. */
  #give(request: PageRequest): boolean {
    const { ranges, onFault } = this.#options;
    const give = (page: Uint8Array): void => this.index.give(request, page);
    try {
      return useSound(ranges, request, give) !== undefined;
    } catch (error) {
      if (onFault === undefined) throw error;
      onFault(request, error);
    }
    return true;
  }
}
