/**
 * A store in memory.
 *
 * @module
 */
import { checkBytes } from "@snap/hash";
import { createFrom, temporaryPath } from "../adopt_file.ts";
import { NotFoundError } from "../errors.ts";
import { cutRange } from "../range.ts";
import { checkStoreName, checkStorePrefix } from "../store_name.ts";
import type {
  PruneStore,
  ReadOptions,
  StoreEntry,
  StoreOptions,
} from "../store.ts";

const BATCH_SIZE = 1000;

/**
 * A store in memory, for tests and for small things that need no disk.
 *
 * @example A name is created once
 * ```ts
 * import { MemoryStore } from "@snap/store/memory";
 * import { strictEqual } from "node:assert/strict";
 *
 * const store = new MemoryStore();
 * strictEqual(await store.create("config/1", new Uint8Array([1])), true);
 * strictEqual(await store.create("config/1", new Uint8Array([2])), false);
 * strictEqual((await store.read("config/1"))[0], 1);
 * ```
 */
export class MemoryStore implements PruneStore {
  readonly #files = new Map<string, Uint8Array>();

  /**
   * Reads the content of a name, or a range of it.
   *
   * @param options The range, and a signal.
   * @returns A copy of the bytes.
   * @throws {NotFoundError} If the name is absent.
   * @throws {StoreError} If it ends before the range does.
   */
  // deno-lint-ignore require-await -- what is wrong rejects, it does not throw
  async read(name: string, options?: ReadOptions): Promise<Uint8Array> {
    checkStoreName(name);
    options?.signal?.throwIfAborted();
    const bytes = this.#files.get(name);
    if (bytes === undefined) throw new NotFoundError(name);
    const { start, end } = cutRange(name, bytes.length, options);
    return bytes.slice(start, end); // Never a Buffer here, whose slice is no copy.
  }

  /**
   * Says how many bytes a name holds.
   *
   * @returns The size in bytes, or undefined if the name is absent.
   */
  // deno-lint-ignore require-await -- what is wrong rejects, it does not throw
  async size(
    name: string,
    options?: StoreOptions,
  ): Promise<number | undefined> {
    checkStoreName(name);
    options?.signal?.throwIfAborted();
    return this.#files.get(name)?.length;
  }

  /**
   * Lists every name that begins with a prefix.
   *
   * @param prefix What the names begin with.
   * @returns Batches of entries.
   */
  async *list(
    prefix: string,
    options?: StoreOptions,
  ): AsyncGenerator<StoreEntry[]> {
    checkStorePrefix(prefix);
    options?.signal?.throwIfAborted();
    let batch: StoreEntry[] = [];
    for (const [name, bytes] of this.#files) {
      if (!name.startsWith(prefix)) continue;
      if (batch.push({ name, size: bytes.length }) < BATCH_SIZE) continue;
      yield batch;
      options?.signal?.throwIfAborted();
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }

  /**
   * Creates a name if it is absent.
   *
   * @param bytes Its content, which is copied.
   * @returns True if this call created the name.
   */
  // deno-lint-ignore require-await -- what is wrong rejects, it does not throw
  async create(
    name: string,
    bytes: Uint8Array,
    options?: StoreOptions,
  ): Promise<boolean> {
    checkBytes(bytes, "content");
    checkStoreName(name);
    options?.signal?.throwIfAborted();
    if (this.#files.has(name)) return false;
    this.#files.set(name, new Uint8Array(bytes));
    return true;
  }

  /**
   * Takes over a finished local file as a name.
   *
   * @param path The file, which is gone afterwards.
   * @returns True if this call created the name.
   * @throws {StoreError} If the file cannot be read.
   */
  async adopt(
    name: string,
    path: string,
    options?: StoreOptions,
  ): Promise<boolean> {
    return await createFrom(this, { name, path }, options);
  }

  /**
   * Where a file for {@link MemoryStore.adopt} can be made.
   *
   * @param saveId The save id, 32 hex digits.
   * @returns A path in the temporary folder of the system.
   */
  async spoolPath(saveId: string): Promise<string> {
    return await temporaryPath(saveId);
  }

  /**
   * Does nothing: memory is as durable as it gets.
   *
   * @param prefixes Prefixes of names.
   */
  // deno-lint-ignore require-await -- what is wrong rejects, it does not throw
  async sync(prefixes: string[], options?: StoreOptions): Promise<void> {
    prefixes.forEach(checkStorePrefix);
    options?.signal?.throwIfAborted();
  }

  /** Removes a name, if it is there. */
  // deno-lint-ignore require-await -- what is wrong rejects, it does not throw
  async remove(name: string, options?: StoreOptions): Promise<void> {
    checkStoreName(name);
    options?.signal?.throwIfAborted();
    this.#files.delete(name);
  }
}
