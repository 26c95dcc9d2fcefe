/**
 * Index tables that come while a store is read: packs are written anew, and those
 * that they were written from go.
 *
 * @module
 */
import type { StoreOptions } from "@snap/store";
import type { IndexFile } from "./index_file.ts";

/** A list that is so recent, and the same as before, is new enough for what stands in no table. */
const LIST_AGE_MS = 1000;

/** What a list of the index tells, beside tables that are known. */
export interface MoreTables {
  /** Names of all tables that are there. */
  readonly names: ReadonlySet<string>;
  /** Those that were not known. */
  readonly files: readonly IndexFile[];
}

/** What is missing, and what ends the wait. */
export interface MissingOptions extends StoreOptions {
  /** Files that are gone; absent where no table tells of an object. */
  readonly gone?: readonly string[];
}

/** Lists the tables, and reads the heads of those that are not known. */
export type ReadMore = (
  known: ReadonlySet<string>,
  options: StoreOptions,
) => Promise<MoreTables>;

/** Lists the tables of a store again and again. */
export class TablesToCome {
  readonly #readMore: ReadMore;
  #names: ReadonlySet<string>;
  /** Names that stay known, whether they are there or not. */
  readonly #known: Set<string>;
  /** Files that were gone at the last list. */
  #gone = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();
  #listedMs = -Infinity;

  /**
   * Lists nothing yet.
   *
   * @param names The tables as they were listed first
   * @param readMore Lists them
   */
  constructor(names: ReadonlySet<string>, readMore: ReadMore) {
    this.#names = names;
    this.#known = new Set(names);
    this.#readMore = readMore;
  }

  /**
   * Lists the tables for another index, which takes its own turns.
   *
   * @param names The tables that it has
   * @returns What lists tables for it
   */
  beside(names: Iterable<string>): TablesToCome {
    return new TablesToCome(new Set(names), this.#readMore);
  }

  /**
   * Does something once all that was begun before has ended.
   *
   * @param work What to do
   * @returns What it gives
   */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const working = this.#last.then(work);
    this.#last = working.catch(() => {}); // Whoever awaits it is told.
    return await working;
  }

  /**
   * Lists the tables, as something is missing.
   *
   * @param options The files that are gone; none where no table tells of an object
   * @returns Tables that have come, and whether the list is another; `undefined`
   * where there is a list for that already: a store that has lost much is not
   * asked for each of it
   * @throws {StoreError} If the store fails
   */
  async list(
    { gone, signal }: MissingOptions,
  ): Promise<
    { files: readonly IndexFile[]; isChanged: boolean } | undefined
  > {
    const isListed = gone === undefined
      ? performance.now() - this.#listedMs < LIST_AGE_MS
      : gone.every((name) => this.#gone.has(name));
    if (isListed) return undefined;
    const startMs = performance.now();
    const { names, files } = await this.#readMore(this.#known, { signal });
    const isChanged = !isSameSet(names, this.#names);
    // A list that was made while files were moved may have seen neither the old nor the new.
    this.#listedMs = isChanged ? -Infinity : startMs;
    this.#names = names;
    for (const name of names) this.#known.add(name);
    this.#gone = new Set(isChanged ? [] : [...this.#gone, ...gone ?? []]);
    return { files, isChanged };
  }
}

/** Whether two sets have the same names. */
export function isSameSet(
  one: ReadonlySet<string>,
  other: ReadonlySet<string>,
): boolean {
  return one.size === other.size && [...one].every((name) => other.has(name));
}
