import { checkFields, checkHasher, type Hasher } from "@snap/hash";
import type { FrameDecoders } from "@snap/pack/codecs";
import {
  HeapFrameCache,
  openIndex,
  openStoreReader,
  type StoreIndex,
  type StoreReader,
  type UnnamedFound,
} from "@snap/pack/read";
import type { ReadStore, StoreOptions } from "@snap/store";
import {
  parseSettings,
  readConfig,
  type StoreConfig,
  type StoreSettings,
} from "@snap/store/format";
import { checkRecord } from "./check_snapshots.ts";
import type { EntryChange } from "./query/entry_changes.ts";
import type { SideOptions } from "./query/diff.ts";
import { listRecords, type ListRecordsOptions } from "./records/records.ts";
import type { NamedRecord } from "./records/record.ts";
import { Batched } from "./view/batched.ts";
import type { ViewRoot } from "./view/view.ts";

/** Memory for decoded frames where nothing else is asked for. */
const CACHE_SIZE = 32 * 1024 * 1024;

/** Options for {@linkcode openSnapshots}. */
export interface OpenSnapshotsOptions extends StoreOptions {
  /** The hasher for everything that is read and written. */
  hasher: Hasher;
  /**
   * Name of the store in an error.
   *
   * @default {"this place"}
   */
  location?: string;
  /**
   * Memory for decoded frames in bytes.
   *
   * @default {33554432}
   */
  cacheSize?: number;
  /**
   * What decodes frames in place of the codecs, such as Zstandard in WebAssembly where
   * the runtime has none.
   */
  decoders?: FrameDecoders;
  /** Told of an index table that cannot be read. */
  onDamage?: (name: string, error: unknown) => void;
  /** Told once of each index table with a damaged page: what is in it is read from packs. */
  onMend?: (name: string, error: unknown) => void;
  /** Told when packs had to be read that no sound index table names. */
  onUnnamed?: (found: UnnamedFound) => void;
}

/** A store with what is needed to read its snapshots. */
export class Snapshots<Store extends ReadStore = ReadStore>
  implements AsyncDisposable {
  /** The store. */
  readonly store: Store;
  /** Config of the store. */
  readonly config: StoreConfig;
  /** How it packs objects. */
  readonly settings: StoreSettings;
  /** The hasher for everything that is read and written. */
  readonly hasher: Hasher;
  /** What decodes frames in place of the codecs. */
  readonly decoders: FrameDecoders | undefined;
  readonly #options: OpenSnapshotsOptions;
  #index: Promise<StoreIndex> | undefined;
  #reader: Promise<StoreReader> | undefined;

  /** Made by {@linkcode openSnapshots}. */
  constructor(
    store: Store,
    config: StoreConfig,
    options: OpenSnapshotsOptions,
  ) {
    this.store = store;
    this.config = config;
    this.settings = parseSettings(config.settings);
    this.hasher = options.hasher;
    this.decoders = options.decoders;
    this.#options = options;
  }

  /**
   * Opens the index, once.
   *
   * @returns The index.
   */
  index(): Promise<StoreIndex> {
    this.#index ??= openIndex(this.store, this.#options);
    return this.#index;
  }

  /** Opens a reader of objects, once. */
  reader(): Promise<StoreReader> {
    this.#reader ??= this.#openReader();
    return this.#reader;
  }

  /** Forgets what was opened, so that what others wrote meanwhile is seen. */
  async refresh(): Promise<void> {
    const reader = this.#reader;
    this.#index = undefined;
    this.#reader = undefined;
    // Whoever wanted a reader that could not be opened was told why.
    const opened = await reader?.catch(() => undefined);
    await opened?.[Symbol.asyncDispose]();
  }

  /**
   * Compares two snapshots.
   *
   * @example
   * ```ts
   * import { DEFAULT_SETTINGS, formatSettings, initStore } from "@snap/store/format";
   * import { wasmHasher } from "@snap/hash/wasm-hasher";
   * import { openSnapshots } from "@snap/snapshot";
   * import { MemoryStore } from "@snap/store/memory";
   * import { save } from "@snap/save";
   * import { deepStrictEqual } from "node:assert/strict";
   * import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
   *
   * const folder = mkdtempSync("/tmp/snap-diff-");
   * const store = new MemoryStore();
   * await initStore(store, formatSettings(DEFAULT_SETTINGS));
   * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
   * const before = await save(snapshots, folder);
   * writeFileSync(`${folder}/a.txt`, "hello");
   * const after = await save(snapshots, folder);
   * rmSync(folder, { recursive: true });
   *
   * const options = { attributes: false };
   * for await (const change of snapshots.diff(before.record, after.record, options)) {
   *   const { kind, text, after } = change;
   *   deepStrictEqual([kind, text, after?.size], ["added", "a.txt", 5]);
   * }
   * await snapshots.close();
   * ```
   *
   * @param before The record of one; `undefined` for nothing.
   * @param after The record of the other; `undefined` for nothing.
   * @param options Whether attributes count, what ends the wait.
   * @returns The changes in the order of a walk, one by one or in batches.
   * @throws {TypeError} If one is no record.
   * @throws {DamageError} If a directory is damaged in every copy.
   */
  diff(
    before: ViewRoot | undefined,
    after: ViewRoot | undefined,
    options: SideOptions = {},
  ): Batched<EntryChange> {
    for (const one of [before, after]) {
      if (one !== undefined) checkRecord(one, "compare snapshots");
    }
    return new Batched(() => this.#changes([before, after], options));
  }

  async *#changes(
    roots: readonly [ViewRoot | undefined, ViewRoot | undefined],
    options: SideOptions,
  ): AsyncGenerator<EntryChange[], void, void> {
    // Most programs that open snapshots compare none.
    const { entryChanges } = await import("./query/entry_changes.ts");
    yield* entryChanges(await this.reader(), roots, options);
  }

  /** Closes what was opened; it opens again when it is used. */
  async close(): Promise<void> {
    await this.refresh();
  }

  /** Closes what was opened. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #openReader(): Promise<StoreReader> {
    const { cacheSize = CACHE_SIZE } = this.#options;
    const { decoders } = this;
    return await openStoreReader(this.store, {
      hasher: this.hasher,
      index: await this.index(),
      cache: new HeapFrameCache({ sizeMax: cacheSize }),
      ...(decoders === undefined ? {} : { decoders }),
    });
  }

  /**
   * Reads the records.
   *
   * @param options Which, and what becomes of damaged ones.
   * @returns The records, newest first.
   */
  records(
    options: Omit<ListRecordsOptions, "hasher"> = {},
  ): Promise<NamedRecord[]> {
    return listRecords(this.store, { ...options, hasher: this.hasher });
  }
}

/**
 * Opens a store of snapshots.
 *
 * @example
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { openSnapshots } from "@snap/snapshot";
 * import { initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { strictEqual } from "node:assert/strict";
 *
 * const store = new MemoryStore();
 * await initStore(store);
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * strictEqual((await snapshots.records()).length, 0);
 * await snapshots.close();
 * ```
 *
 * @returns The snapshots; nothing but the config has been read.
 * @throws {TypeError} If the store lacks a function, or there is no hasher.
 * @throws {NotAStoreError} If the store has no config.
 * @throws {UnsupportedVersionError} If it was made by a newer program.
 */
export async function openSnapshots<Store extends ReadStore>(
  store: Store,
  options: OpenSnapshotsOptions,
): Promise<Snapshots<Store>> {
  const action = "open snapshots";
  const fields = ["read", "size", "list"];
  checkFields({ store }, {
    action,
    need: "a store, such as MemoryStore",
    fields,
  });
  checkHasher(options?.hasher, action);
  const config = await readConfig(store, options);
  return new Snapshots(store, config, options);
}
