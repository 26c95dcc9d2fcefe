/**
 * Bytes of a store's files: the lower of the two layers of the one reader.
 *
 * @module
 */
import type { StoreOptions } from "@snap/store";
import { DamageError } from "../errors.ts";

/**
 * Reads ranges of a store's files without waiting. A range that is not here yet
 * is `undefined`: it is on its way, and the whole question is asked again when
 * something has arrived. Over local files nothing is ever on its way.
 */
export interface Ranges {
  /** Numbers of the fetches that `take` has come too early for since `forgetWanted`. */
  readonly wanted: readonly number[];
  /**
   * Takes a range, whole.
   *
   * @param name Name of the file in the store
   * @param offset First byte
   * @param length Number of bytes
   * @param fileSize Size of the file, where it is known: it need not be asked for then
   * @returns The bytes, good until the next call; `undefined` while they are on
   * their way
   * @throws {NotFoundError} If the store has no such file
   * @throws {StoreError} If it cannot be read; with code `SHORT` if it ends before
   */
  take(
    name: string,
    offset: number,
    length: number,
    fileSize?: number,
  ): Uint8Array | undefined;
  /**
   * Says that a range will be taken soon. Never fails, and may do nothing.
   *
   * @param name Name of the file in the store
   * @param offset First byte
   * @param length Number of bytes
   */
  hint(name: string, offset: number, length: number): void;
  /**
   * Says that the bytes that were just taken are damaged. Where they may have come
   * from a copy of the store's file, the next `take` reads them from the store itself.
   *
   * @param name Name of the file in the store
   * @param offset First byte
   * @param length Number of bytes
   * @returns Whether that may give other bytes
   */
  distrust(name: string, offset: number, length: number): boolean;
  /** Empties `wanted`. */
  forgetWanted(): void;
}

/** Ranges that can be waited for. */
export interface AwaitedRanges extends Ranges {
  /** Whether a range may be on its way: asking ahead is worth it then. */
  readonly isFar: boolean;
  /**
   * Waits until one of the ranges that are wanted has arrived, or failed to, and
   * empties `wanted`.
   *
   * @param options What ends the wait; reads that nobody else waits for end with it
   */
  arrived(options?: StoreOptions): Promise<void>;
}

/**
 * Takes a range, and waits for it where it is on its way.
 *
 * @param ranges The ranges
 * @param range Name of the file in the store, first byte, number of bytes
 * @param options What ends the wait
 * @returns The bytes; if they do not come by a promise, good until the next call
 * @throws {NotFoundError} If the store has no such file
 * @throws {StoreError} If it cannot be read; with code `SHORT` if it ends before
 */
export function takeRange(
  ranges: AwaitedRanges,
  range: {
    readonly name: string;
    readonly offset: number;
    readonly length: number;
  },
  options: StoreOptions,
): Uint8Array | Promise<Uint8Array> {
  const { name, offset, length } = range;
  const take = () => ranges.take(name, offset, length);
  return take() ?? awaitAnswer(ranges, take, options);
}

/**
 * Takes a range that tells whether it is damaged: then it is taken once more, from
 * the store itself.
 *
 * @param ranges The ranges
 * @param range Name of the file in the store, first byte, number of bytes
 * @param use Uses the bytes, which are good until it returns; throws a `SyntaxError` for damage
 * @param options What ends the wait
 * @returns What `use` returns
 * @throws {NotFoundError} If the store has no such file
 * @throws {SyntaxError} If the store itself has damaged bytes
 * @throws {StoreError} If it cannot be read; with code `SHORT` if it ends before
 */
export async function takeSound<T>(
  ranges: AwaitedRanges,
  range: {
    readonly name: string;
    readonly offset: number;
    readonly length: number;
  },
  use: (bytes: Uint8Array) => T,
  options: StoreOptions,
): Promise<T> {
  const ask = () => useSound(ranges, range, use);
  return (ask() ?? await awaitAnswer(ranges, ask, options)).value;
}

/**
 * As {@linkcode takeSound}, for those who may not wait.
 *
 * @param ranges The ranges
 * @param range Name of the file in the store, first byte, number of bytes, and the size of
 * the file where it is known
 * @param use Uses the bytes, which are good until it returns; throws a `SyntaxError` or
 * `DamageError` for damage
 * @returns What `use` returns; `undefined` while the range is on its way
 * @throws {NotFoundError} If the store has no such file
 * @throws {SyntaxError} If the store itself has damaged bytes
 * @throws {StoreError} If it cannot be read; with code `SHORT` if it ends before
 */
export function useSound<T>(
  ranges: Pick<Ranges, "take" | "distrust">,
  { name, offset, length, fileSize }: {
    readonly name: string;
    readonly offset: number;
    readonly length: number;
    readonly fileSize?: number;
  },
  use: (bytes: Uint8Array) => T,
): { readonly value: T } | undefined {
  for (;;) {
    const bytes = ranges.take(name, offset, length, fileSize);
    if (bytes === undefined) return undefined;
    try {
      return { value: use(bytes) };
    } catch (error) {
      const isDamage = error instanceof SyntaxError ||
        error instanceof DamageError;
      if (!isDamage || !ranges.distrust(name, offset, length)) throw error;
    }
  }
}

/**
 * Asks again and again, each time something has arrived.
 *
 * @param ranges What the question takes its ranges from
 * @param question What is asked; `undefined` while a range is on its way
 * @param options What ends the wait
 * @returns The answer
 */
export async function awaitAnswer<T>(
  ranges: AwaitedRanges,
  question: () => T | undefined,
  options: StoreOptions,
): Promise<T> {
  for (;;) {
    options.signal?.throwIfAborted();
    ranges.forgetWanted();
    const answer = question();
    if (answer !== undefined) return answer;
    await ranges.arrived(options);
  }
}
