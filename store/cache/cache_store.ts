import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import process from "node:process";
import { isAbsolute, join } from "node:path";
import { hexOf } from "@snap/hash";
import { cacheHome } from "../cache_home.ts";
import { orAborted } from "../or_aborted.ts";
import { checkRange, cutRange } from "../range.ts";
import { checkStoreName } from "../store_name.ts";
import type {
  PruneStore,
  ReadOptions,
  StoreEntry,
  StoreOptions,
} from "../store.ts";
import { AroundStore, type StoreCall } from "../wrap/around_store.ts";
import { CacheFigures } from "./figures.ts";
import { nothingOf } from "./kept_file.ts";
import { KeptFiles } from "./kept_files.ts";
import { WholeTables } from "./whole_tables.ts";

/** Names of what never changes, and is read in parts or by many commands. */
const KEPT = /^(index|packs|snapshots)\//;
const RECORDS = "snapshots/";
const TABLES = "index/";
/** Records and tables that are known to be there. */
const LISTED_MAX = 1 << 18;
/** A table that this program has written is kept up to this size. */
const ADOPTED_SIZE_MAX = 64 << 20;

/** Options of {@link openCacheStore}. */
export interface CacheStoreOptions {
  /**
   * Where the store is, without secrets. A store that claims to be another must
   * not be able to put anything into that one's cache, so that nothing which it
   * says of itself tells it from others.
   */
  readonly location: string;
  /**
   * The folder of all caches, made when it is needed.
   *
   * @default {"$XDG_CACHE_HOME/snap/stores"}
   */
  readonly folder?: string;
  /**
   * Most bytes of disk for the caches of all stores. They never have more than
   * what others leave free.
   *
   * @default {"a tenth of the disk, and at most 10 GiB"}
   */
  readonly budget?: number;
}

/**
 * A store whose records, index and packs are kept in a folder of a local disk, as
 * far as they were read. Use {@link openCacheStore}.
 */
export class CacheStore extends AroundStore implements AsyncDisposable {
  /** Counters of the use of the cache. */
  readonly figures: CacheFigures = new CacheFigures();
  /** The folder of this store. */
  readonly folder: string;
  readonly #files: KeptFiles;
  /** Sizes of records and tables that are there, as a list or a call of this program said. */
  readonly #listed = new Map<string, number>();
  readonly #tables: WholeTables;

  /**
   * Makes a cache. Nothing is read or written yet.
   *
   * @param inner The store far away.
   * @param options Where it is, and where its files are kept.
   */
  constructor(inner: PruneStore, options: CacheStoreOptions) {
    super(inner);
    const { location, budget } = options;
    const root = options.folder ?? cacheFolder(process.env);
    const hash = createHash("sha256").update(location).digest();
    this.folder = join(root, hexOf(hash.subarray(0, 16)));
    const { folder, figures } = this;
    this.#files = new KeptFiles({ root, folder, budget, figures });
    this.#tables = new WholeTables({
      read: (name, length, signal) => this.#fetch(name, { length, signal }),
      keep: (name, bytes) =>
        this.#files.keep(name, { start: 0, bytes, size: bytes.length }),
    });
  }

  /**
   * Reads the content of a name, or a range of it: from the disk as far as it is there.
   *
   * @param name The name.
   * @param options The range, and a signal.
   * @returns The bytes.
   * @throws {NotFoundError} If the name is absent.
   * @throws {StoreError} If it cannot be read.
   */
  override async read(
    name: string,
    options: ReadOptions = {},
  ): Promise<Uint8Array> {
    checkStoreName(name);
    checkRange(options);
    options.signal?.throwIfAborted();
    if (!KEPT.test(name) || options.length === 0) {
      return await super.read(name, options);
    }
    const { offset = 0, length, signal, isFresh = false } = options;
    if (isFresh) this.#files.drop(name);
    // A record may have been forgotten by others: it is asked for unless it was listed.
    const isKnown = !name.startsWith(RECORDS) || this.#listed.has(name);
    const kept = isKnown
      ? this.#files.look(name, { offset, length })
      : nothingOf({ offset, length });
    if (kept === undefined) return await this.#readToEnd(name, options);
    const { bytes, start, end } = kept;
    cutRange(name, offset + bytes.length, options);
    if (start === end) {
      this.figures.hits++;
      this.figures.bytesHit += bytes.length;
      return bytes;
    }
    const tableSize = isFresh ? undefined : this.#listed.get(name);
    const whole = name.startsWith(TABLES) && tableSize !== undefined
      ? this.#tables.take(name, tableSize)
      : undefined;
    if (whole !== undefined) {
      const table = await orAborted(whole, signal);
      const cut = cutRange(name, table.length, options);
      return table.slice(cut.start, cut.end);
    }
    const range = { ...options, offset: start, length: end - start };
    const part = await this.#fetch(name, range);
    if (!options.isOnce) void this.#files.keep(name, { start, bytes: part });
    const from = Math.max(0, offset - start);
    bytes.set(part.subarray(from), Math.max(0, start - offset));
    this.figures.bytesHit += bytes.length - (part.length - from);
    return bytes;
  }

  /**
   * Lists every name that begins with a prefix, as the store does.
   *
   * @param prefix What the names begin with.
   * @param options A signal.
   * @returns Batches of entries.
   * @throws {StoreError} If the store cannot be listed.
   */
  override async *list(
    prefix: string,
    options?: StoreOptions,
  ): AsyncGenerator<StoreEntry[]> {
    for await (const batch of super.list(prefix, options)) {
      for (const { name, size } of batch) this.#know(name, size);
      yield batch;
    }
  }

  /**
   * Creates a name if it is absent.
   *
   * @param name The name.
   * @param bytes Its content.
   * @param options A signal.
   * @returns True if this call created the name.
   * @throws {StoreError} If it could not be created.
   */
  override async create(
    name: string,
    bytes: Uint8Array,
    options?: StoreOptions,
  ): Promise<boolean> {
    const copy = isListed(name) && bytes instanceof Uint8Array
      ? new Uint8Array(bytes)
      : undefined;
    const isNew = await super.create(name, bytes, options);
    if (isNew && copy !== undefined) {
      const size = copy.length;
      this.#know(name, size);
      void this.#files.keep(name, { start: 0, bytes: copy, size });
    }
    return isNew;
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
  override async adopt(
    name: string,
    path: string,
    options?: StoreOptions,
  ): Promise<boolean> {
    // The store says what is wrong with it.
    const file = isListed(name)
      ? await open(path).catch(() => undefined)
      : undefined;
    try {
      const isNew = await super.adopt(name, path, options);
      if (isNew && file !== undefined) await this.#copy(name, file);
      return isNew;
    } finally {
      await file?.close();
    }
  }

  /**
   * Removes a name, if it is there.
   *
   * @param name The name.
   * @param options A signal.
   * @throws {StoreError} If it could not be removed.
   */
  override async remove(name: string, options?: StoreOptions): Promise<void> {
    await super.remove(name, options);
    this.#listed.delete(name);
    if (!KEPT.test(name)) return;
    await this.#files.written(); // What is on its way to the disk must go, too.
    this.#files.drop(name);
  }

  /** Waits until what was read is kept; the store beneath is closed by whoever opened it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tables.stop();
    await this.#files.settle();
  }

  /** Passes a call on. */
  protected override around<T>(
    _call: StoreCall,
    run: (signal?: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return run();
  }

  /** Reads from the store itself. */
  async #fetch(name: string, options: ReadOptions): Promise<Uint8Array> {
    this.figures.misses++;
    const bytes = await super.read(name, options);
    this.figures.bytesMissed += bytes.length;
    return bytes;
  }

  /** Reads a file whose end is not known, or that is too large to be kept. */
  async #readToEnd(name: string, options: ReadOptions): Promise<Uint8Array> {
    const bytes = await this.#fetch(name, options);
    const { offset = 0, length } = options;
    if (offset > 0 || length !== undefined) return bytes;
    const { length: size } = bytes;
    void this.#files.keep(name, { start: 0, bytes: bytes.slice(), size });
    return bytes;
  }

  /** Keeps a table that was adopted. */
  async #copy(name: string, file: FileHandle): Promise<void> {
    try {
      const { size } = await file.stat();
      if (size > ADOPTED_SIZE_MAX) return;
      const bytes = new Uint8Array(await file.readFile());
      this.#know(name, size);
      void this.#files.keep(name, { start: 0, bytes, size });
    } catch {
      // It is in the store, which is what counts.
    }
  }

  #know(name: string, size: number): void {
    if (!isListed(name)) return;
    if (this.#listed.size >= LISTED_MAX) this.#listed.clear();
    this.#listed.set(name, size);
  }
}

/** Whether a name is known to be there once it was listed. */
function isListed(name: string): boolean {
  return name.startsWith(RECORDS) || name.startsWith(TABLES);
}

/**
 * Puts a cache around a store that is far away. Its files are checked by whoever
 * reads them, as those of the store are; they may go at any time, and several
 * programs may share them.
 *
 * @example The second read makes no request
 * ```ts
 * import { openCacheStore } from "@snap/store/cache";
 * import { MemoryStore } from "@snap/store/memory";
 * import { MeterStore } from "@snap/store/wrap";
 * import { strictEqual } from "node:assert/strict";
 * import { mkdtempSync, rmSync } from "node:fs";
 *
 * const folder = mkdtempSync("/tmp/snap-cache-");
 * const far = new MeterStore(new MemoryStore());
 * await far.create("packs/ab/one", new Uint8Array(100_000));
 * for (let i = 0; i < 2; i++) {
 *   const store = openCacheStore(far, { location: "https://host/snaps", folder });
 *   await store.read("packs/ab/one", { offset: 50_000, length: 1000 });
 *   await store[Symbol.asyncDispose]();
 * }
 * strictEqual(far.meter.byAction.get("read"), 1);
 * rmSync(folder, { recursive: true });
 * ```
 *
 * @param store The store far away.
 * @param options Where it is, and where its files are kept.
 * @returns The store.
 */
export function openCacheStore(
  store: PruneStore,
  options: CacheStoreOptions,
): CacheStore {
  return new CacheStore(store, options);
}

/**
 * The folder of all caches.
 *
 * @param env Variables of the environment.
 * @returns An absolute path: `$SNAP_CACHE_DIR` if it is one, or `$XDG_CACHE_HOME/snap/stores`.
 */
export function cacheFolder(
  env: Readonly<Record<string, string | undefined>>,
): string {
  const { SNAP_CACHE_DIR: own = "" } = env;
  return isAbsolute(own) ? own : join(cacheHome(env), "stores");
}
