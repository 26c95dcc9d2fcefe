/**
 * A store over anything that holds bytes under names: five functions, and the store
 * sees to names, ranges, signals and errors.
 *
 * @module
 */
import { checkBytes } from "@snap/hash";
import { cannot } from "./cannot.ts";
import { NotFoundError, type StoreAction, StoreError } from "./errors.ts";
import { checkRange, largeError, readNothing, shortError } from "./range.ts";
import { checkStoreName, checkStorePrefix } from "./store_name.ts";
import type {
  PruneStore,
  ReadOptions,
  StoreEntry,
  StoreOptions,
} from "./store.ts";

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

/**
 * What holds bytes under names, such as a table of a database or a bucket. Names and
 * numbers that it is given are checked. Whatever it throws is a failure: what is
 * absent it says by what it returns.
 */
export interface Blobs {
  /**
   * Says how many bytes a name holds.
   *
   * @returns The size in bytes; undefined or null if the name is absent.
   */
  size(
    name: string,
    options: StoreOptions,
  ): Awaitable<number | null | undefined>;

  /**
   * Reads a range of a name.
   *
   * @param range Where it begins, and how many bytes it has: up to the end if undefined.
   * @returns Its bytes, fewer where the name ends before, none where it begins beyond the
   * end; undefined or null if the name is absent. They are not changed any more.
   */
  read(
    name: string,
    range: { readonly offset: number; readonly length: number | undefined },
    options: StoreOptions,
  ): Awaitable<Uint8Array | null | undefined>;

  /**
   * Lists every name that begins with a prefix.
   *
   * @returns Batches of names and sizes, in any order, each name once.
   */
  list(
    prefix: string,
    options: StoreOptions,
  ): AsyncIterable<StoreEntry[]> | Iterable<StoreEntry[]>;

  /**
   * Creates a name if it is absent, in one step whoever else does: all of it or nothing,
   * and durable at the end.
   *
   * @returns Whether this call created the name.
   */
  create(
    name: string,
    bytes: Uint8Array,
    options: StoreOptions,
  ): Awaitable<boolean>;

  /** Removes a name, if it is there. */
  remove(name: string, options: StoreOptions): Awaitable<unknown>;
}

/**
 * A store over {@linkcode Blobs}.
 *
 * @example Names and bytes of a map
 * ```ts
 * import { type Blobs, BlobStore } from "@snap/store/blob-store";
 * import { initStore, readConfig } from "@snap/store/format";
 * import { strictEqual } from "node:assert/strict";
 *
 * const map = new Map<string, Uint8Array>();
 * const blobs: Blobs = {
 *   size: (name) => map.get(name)?.length,
 *   read: (name, { offset, length = Infinity }) =>
 *     map.get(name)?.slice(offset, offset + length),
 *   list: (prefix) => [
 *     [...map].map(([name, { length }]) => ({ name, size: length }))
 *       .filter(({ name }) => name.startsWith(prefix)),
 *   ],
 *   create: (name, bytes) => !map.has(name) && !!map.set(name, new Uint8Array(bytes)),
 *   remove: (name) => map.delete(name),
 * };
 * const store = new BlobStore(blobs);
 * await initStore(store);
 * strictEqual((await readConfig(store)).number, 1);
 * ```
 */
export class BlobStore implements PruneStore {
  readonly #blobs: Blobs;

  /** Makes a store of what holds bytes under names. */
  constructor(blobs: Blobs) {
    this.#blobs = blobs;
  }

  /**
   * Reads the content of a name, or a range of it.
   *
   * @param options The range, and a signal.
   * @returns The bytes.
   * @throws {NotFoundError} If the name is absent.
   * @throws {StoreError} If it cannot be read, or ends before the range does.
   */
  async read(name: string, options: ReadOptions = {}): Promise<Uint8Array> {
    checkStoreName(name);
    checkRange(options);
    const { offset = 0, length, sizeMax = Infinity } = options;
    if (length === 0) return await readNothing(this, name, offset, options);
    // One byte more tells what is too large.
    const most = length ?? sizeMax + 1;
    const range = { offset, length: Number.isFinite(most) ? most : undefined };
    const bytes = await run("read", name, options, () => {
      return this.#blobs.read(name, range, options);
    });
    if (bytes === undefined || bytes === null) throw new NotFoundError(name);
    if (length === undefined) {
      if (bytes.length > sizeMax) throw largeError(name, sizeMax);
      if (bytes.length > 0) return bytes;
      return await readNothing(this, name, offset, options);
    }
    if (bytes.length === length) return bytes;
    throw shortError(name, offset + length, offset + bytes.length);
  }

  /**
   * Says how many bytes a name holds.
   *
   * @returns The size in bytes, or undefined if the name is absent.
   * @throws {StoreError} If that cannot be told.
   */
  async size(
    name: string,
    options: StoreOptions = {},
  ): Promise<number | undefined> {
    checkStoreName(name);
    const size = await run("size", name, options, () => {
      return this.#blobs.size(name, options);
    });
    return size ?? undefined;
  }

  /**
   * Lists every name that begins with a prefix.
   *
   * @param prefix What the names begin with.
   * @returns Batches of entries.
   * @throws {StoreError} If they cannot be listed.
   */
  async *list(
    prefix: string,
    options: StoreOptions = {},
  ): AsyncGenerator<StoreEntry[]> {
    checkStorePrefix(prefix);
    options.signal?.throwIfAborted();
    try {
      for await (const batch of this.#blobs.list(prefix, options)) {
        options.signal?.throwIfAborted();
        if (batch.length > 0) yield batch;
      }
    } catch (error) {
      throw failure("list", prefix, options, error);
    }
  }

  /**
   * Creates a name if it is absent.
   *
   * @returns True if this call created the name.
   * @throws {StoreError} If it could not be created.
   */
  async create(
    name: string,
    bytes: Uint8Array,
    options: StoreOptions = {},
  ): Promise<boolean> {
    checkBytes(bytes, "content");
    checkStoreName(name);
    return await run("create", name, options, () => {
      return this.#blobs.create(name, bytes, options);
    });
  }

  /**
   * Does nothing: what was created is durable.
   *
   * @param prefixes Prefixes of names.
   */
  // deno-lint-ignore require-await -- what is wrong rejects, it does not throw
  async sync(prefixes: string[], options?: StoreOptions): Promise<void> {
    prefixes.forEach(checkStorePrefix);
    options?.signal?.throwIfAborted();
  }

  /**
   * Removes a name, if it is there.
   *
   * @throws {StoreError} If it could not be removed.
   */
  async remove(name: string, options: StoreOptions = {}): Promise<void> {
    checkStoreName(name);
    await run("remove", name, options, () => {
      return this.#blobs.remove(name, options);
    });
  }
}

async function run<T>(
  action: StoreAction,
  name: string,
  options: StoreOptions,
  call: () => Awaitable<T>,
): Promise<T> {
  options.signal?.throwIfAborted();
  try {
    return await call();
  } catch (error) {
    throw failure(action, name, options, error);
  }
}

/** What a failure of what is beneath becomes: it never reads as absence. */
function failure(
  action: StoreAction,
  storeName: string,
  { signal }: StoreOptions,
  cause: unknown,
): unknown {
  if (signal?.aborted) return signal.reason;
  if (cause instanceof StoreError) return cause;
  const { code, message } = cause as { code?: unknown; message?: unknown };
  return new StoreError(`${cannot(action, storeName)}: ${message ?? cause}`, {
    code: typeof code === "string" ? code : "EIO",
    action,
    storeName,
    cause,
  });
}
