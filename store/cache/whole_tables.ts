/** Tables of an index are read whole up to this size. */
const WHOLE_SIZE_MAX = 64 << 20;
/** Bytes that come in the time that a request takes. */
const REQUEST_COST = 512 << 10;

interface Table {
  missCount: number;
  whole?: Promise<Uint8Array>;
}

/** Parts of {@link WholeTables}. */
export interface WholeTablesParts {
  /** Reads a whole table. */
  readonly read: (
    name: string,
    size: number,
    signal: AbortSignal,
  ) => Promise<Uint8Array>;
  /** Keeps one; resolves when it is written. */
  readonly keep: (name: string, bytes: Uint8Array) => Promise<void>;
}

/**
 * Decides when a table of an index is read whole: once requests for its pages
 * have cost as much. What is small is read whole at once, and of a large one
 * those who look for little get little. It happens once in a program, as it is
 * of no use where nothing can be kept.
 */
export class WholeTables {
  readonly #parts: WholeTablesParts;
  readonly #tables = new Map<string, Table>();
  readonly #end = new AbortController();

  constructor(parts: WholeTablesParts) {
    this.#parts = parts;
  }

  /**
   * The whole table, of which something is missing in the cache.
   *
   * @returns Undefined where a page of it is to be read.
   */
  take(name: string, size: number): Promise<Uint8Array> | undefined {
    if (size > WHOLE_SIZE_MAX) return undefined;
    const table: Table = this.#tables.get(name) ?? { missCount: 0 };
    this.#tables.set(name, table);
    if (table.whole !== undefined) return table.whole;
    if (++table.missCount * REQUEST_COST < size) return undefined;
    table.missCount = -Infinity;
    table.whole = this.#parts.read(name, size, this.#end.signal);
    // It is at hand until it is written.
    table.whole.then((bytes) => this.#parts.keep(name, bytes)).catch(() => {})
      .finally(() => delete table.whole);
    return table.whole;
  }

  /** Ends all reads, and waits for their end. */
  async stop(): Promise<void> {
    this.#end.abort(new Error("Cannot read table as the cache is closed"));
    const reads = Array.from(this.#tables.values(), ({ whole }) => whole);
    await Promise.allSettled(reads);
  }
}
