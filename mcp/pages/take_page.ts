import { PAGE_COUNT, PAGE_SIZE_MAX } from "../limits.ts";

/** One page of a list. */
export interface Page {
  readonly entries: readonly Record<string, unknown>[];
  /** Entries up to the end of this page; absent where there are no more. */
  readonly nextCount: number | undefined;
}

/**
 * Takes a page out of a list that comes in batches.
 *
 * @param batches All of the list.
 * @param skip Entries on the pages before.
 * @param limit The most entries; the page also ends before it is too large.
 * @param format Writes an entry.
 * @returns The page. The rest of the list is not read.
 */
export async function takePage<T>(
  batches: AsyncIterable<readonly T[]>,
  { skip, limit = PAGE_COUNT, format }: {
    readonly skip: number;
    readonly limit?: number | undefined;
    readonly format: (entry: T) => Record<string, unknown>;
  },
): Promise<Page> {
  const entries: Record<string, unknown>[] = [];
  let left = skip, size = 0;
  for await (const batch of batches) {
    if (left >= batch.length) {
      left -= batch.length;
      continue;
    }
    for (const one of batch.slice(left)) {
      const entry = format(one);
      size += JSON.stringify(entry).length;
      const isFull = entries.length === limit || size > PAGE_SIZE_MAX;
      if (isFull && entries.length > 0) {
        return { entries, nextCount: skip + entries.length };
      }
      entries.push(entry);
    }
    left = 0;
  }
  return { entries, nextCount: undefined };
}
