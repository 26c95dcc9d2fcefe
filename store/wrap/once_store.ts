/**
 * A store that does once what many ask for at the same time.
 *
 * @module
 */
import { checkBytes } from "@snap/hash";
import { SingleFlight } from "./single_flight.ts";
import type {
  ReadOptions,
  StoreEntry,
  StoreOptions,
  WriteStore,
} from "../store.ts";

/**
 * Joins calls that are the same and under way at the same time: equal reads, and
 * creates of one name. All get one outcome, also when it is an error; nothing is
 * remembered afterwards. A signal ends the wait of its caller only.
 *
 * @example Two readers, one read
 * ```ts
 * import { MemoryStore } from "@snap/store/memory";
 * import { OnceStore } from "./once_store.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const store = new OnceStore(new MemoryStore());
 * await store.create("index/aa", new Uint8Array(3));
 * const [a, b] = await Promise.all([store.read("index/aa"), store.read("index/aa")]);
 * strictEqual(a, b);
 * ```
 */
export class OnceStore implements WriteStore {
  readonly #inner: WriteStore;
  readonly #reads = new SingleFlight<Uint8Array>();
  readonly #sizes = new SingleFlight<number | undefined>();
  readonly #creates = new SingleFlight<boolean>();

  /** The file that holds a name, where the store beneath has files. */
  readonly localPath?: (name: string) => string;

  /**
   * Wraps a store.
   *
   * @param inner The store beneath.
   */
  constructor(inner: WriteStore) {
    this.#inner = inner;
    if (inner.localPath !== undefined) {
      this.localPath = inner.localPath.bind(inner);
    }
  }

  /**
   * Reads a name or a range of it, once for all who ask meanwhile.
   *
   * @param name The name.
   * @param options The range, and a signal.
   * @returns The bytes, which all who asked share: nobody may change them.
   * @throws {NotFoundError} If the name is absent.
   * @throws {StoreError} If it cannot be read.
   */
  async read(name: string, options?: ReadOptions): Promise<Uint8Array> {
    const { signal, ...range } = options ?? {};
    const key = `${name} ${range.offset ?? 0} ${range.length ?? ""}`;
    return await this.#reads.run(key, signal, async (signal) => {
      return await this.#inner.read(name, { ...range, signal });
    });
  }

  /**
   * Says how many bytes a name holds.
   *
   * @param name The name.
   * @param options A signal.
   * @returns The size in bytes, or undefined if the name is absent.
   * @throws {StoreError} If the store cannot tell.
   */
  async size(
    name: string,
    options?: StoreOptions,
  ): Promise<number | undefined> {
    return await this.#sizes.run(name, options?.signal, async (signal) => {
      return await this.#inner.size(name, { signal });
    });
  }

  /**
   * Lists every name that begins with a prefix.
   *
   * @param prefix What the names begin with.
   * @param options A signal.
   * @returns Batches of entries.
   */
  list(prefix: string, options?: StoreOptions): AsyncIterable<StoreEntry[]> {
    return this.#inner.list(prefix, options);
  }

  /**
   * Creates a name if it is absent. Of those who ask meanwhile the first creates
   * it, and the others learn that it is there, or that the first failed.
   *
   * @param name The name.
   * @param bytes Its content.
   * @param options A signal.
   * @returns True if this call created the name.
   * @throws {StoreError} If it could not be created.
   */
  async create(
    name: string,
    bytes: Uint8Array,
    options?: StoreOptions,
  ): Promise<boolean> {
    checkBytes(bytes, "content");
    const isFirst = !this.#creates.has(name);
    const created = await this.#creates.run(
      name,
      options?.signal,
      async (signal) => {
        return await this.#inner.create(name, bytes, { signal });
      },
    );
    return isFirst && created;
  }

  /**
   * Takes over a finished local file as a name.
   *
   * @param name The name.
   * @param path The file, which is gone afterwards.
   * @param options A signal.
   * @returns True if this call created the name.
   * @throws {StoreError} If it could not be created.
   */
  adopt(name: string, path: string, options?: StoreOptions): Promise<boolean> {
    return this.#inner.adopt(name, path, options);
  }

  /**
   * Where a file for {@link OnceStore.adopt} is cheapest to make.
   *
   * @param saveId The save id, 32 hex digits.
   * @returns A path that no other call gets.
   */
  spoolPath(saveId: string): string | Promise<string> {
    return this.#inner.spoolPath(saveId);
  }

  /**
   * Makes everything durable below some prefixes.
   *
   * @param prefixes Prefixes of names.
   * @param options A signal.
   * @throws {StoreError} If something could not be made durable.
   */
  sync(prefixes: string[], options?: StoreOptions): Promise<void> {
    return this.#inner.sync(prefixes, options);
  }
}
