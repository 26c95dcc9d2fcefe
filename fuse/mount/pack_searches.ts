import type { StoreOptions } from "@snap/store";
import type { TableList } from "@snap/pack/objects";

/** How long a store that does not look at its signal is waited for at the end, in milliseconds. */
const STOP_MS = 100;

/** Parts of {@linkcode PackSearches}. */
export interface PackSearchesParts {
  readonly tables: TableList;
  /** Adds to the list the tables of packs that no sound table names. */
  readonly find: (options: StoreOptions) => Promise<void>;
  /** Told of a search that failed. */
  readonly onFault: (error: unknown) => void;
}

/** Main's side of what workers cannot wait for: looks for packs that no sound table names. */
export class PackSearches {
  readonly #parts: PackSearchesParts;
  readonly #stop = new AbortController();
  /** Several workers may ask; there is one search at a time. */
  #last: Promise<void> = Promise.resolve();

  constructor(parts: PackSearchesParts) {
    this.#parts = parts;
  }

  /** Has packs looked for, unless that was done since it was wanted. */
  take(): void {
    this.#last = this.#last.then(() => this.#search());
  }

  /** Ends what is under way. */
  async stop(): Promise<void> {
    this.#stop.abort();
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, STOP_MS);
    await Promise.race([this.#last, late.promise]);
    clearTimeout(timer);
  }

  async #search(): Promise<void> {
    const { tables, find, onFault } = this.#parts;
    const { signal } = this.#stop;
    if (signal.aborted || tables.search !== "wanted") return;
    // What is wanted from now on is not yet looked for.
    const { wantedCount } = tables;
    try {
      await find({ signal });
      tables.endSearch(wantedCount, "made");
    } catch (error) {
      if (signal.aborted) return;
      onFault(error);
      tables.endSearch(wantedCount, "failed");
    }
  }
}
