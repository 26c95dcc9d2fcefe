import { NotFoundError, StoreError } from "./errors.ts";
import type { ReadStore, StoreOptions } from "./store.ts";

/** The range wanted of a file. */
export interface Range {
  readonly offset?: number;
  readonly length?: number;
  readonly sizeMax?: number;
}

/**
 * Refuses a range that cannot be one.
 *
 * @throws {RangeError} If a number is negative, broken or beyond 2^53 - 1.
 */
export function checkRange(range: Range | undefined): void {
  const { offset = 0, length = 0, sizeMax = 0 } = range ?? {};
  for (const number of [offset, length, sizeMax]) {
    if (Number.isSafeInteger(number) && number >= 0) continue;
    throw new RangeError(
      `Cannot read range with ${number}: no whole number from 0 on`,
    );
  }
}

/**
 * Finds start and end of a range in a file of a given size.
 *
 * @throws {StoreError} If the file ends before the range does, or is larger than it may be.
 */
export function cutRange(
  name: string,
  size: number,
  range: Range | undefined,
): { start: number; end: number } {
  checkRange(range);
  const start = range?.offset ?? 0;
  const end = range?.length === undefined
    ? Math.max(start, size)
    : start + range.length;
  if (end > size) throw shortError(name, end, size);
  const { length, sizeMax = Infinity } = range ?? {};
  if (length === undefined && end - start > sizeMax) {
    throw largeError(name, sizeMax);
  }
  return { start, end };
}

/**
 * Reads a range without bytes, for which no request can ask.
 *
 * @param end Where the range ends.
 * @returns No bytes.
 * @throws {NotFoundError} If the name is absent.
 * @throws {StoreError} If the file ends before the range does.
 */
export async function readNothing(
  store: Pick<ReadStore, "size">,
  name: string,
  end: number,
  options?: StoreOptions,
): Promise<Uint8Array> {
  const size = await store.size(name, options);
  if (size === undefined) throw new NotFoundError(name);
  if (end > size) throw shortError(name, end, size);
  return new Uint8Array(0);
}

/** The error of a file that has more bytes than there may be. */
export function largeError(name: string, sizeMax: number): StoreError {
  return new StoreError(
    `Cannot read ${name} as it has at most ${sizeMax} bytes: found more`,
    { code: "EFBIG", action: "read", storeName: name },
  );
}

/** The error of a range beyond the end. */
export function shortError(
  name: string,
  end: number,
  size: number,
): StoreError {
  return new StoreError(
    `Cannot read ${name} as the range needs ${end} bytes: found ${size}`,
    {
      code: "SHORT",
      action: "read",
      storeName: name,
    },
  );
}
