/**
 * The one way into a store: claims, packs, tables, and what is durable before what.
 *
 * @module
 */
import type { Hasher } from "@snap/hash";
import { StoreError, type StoreOptions, type WriteStore } from "@snap/store";
import type { StoreSettings } from "@snap/store/format";
import { openSpool, type Spool } from "@snap/store/owner";
import type { ObjectIndex } from "../index/object_index.ts";
import { listPacks, type PackSet } from "../index/pack_set.ts";
import { ObjectKind } from "../object_kind.ts";
import { ClaimTable } from "./claim_table.ts";
import { LocalIndexFiles } from "./local_index_files.ts";
import { ObjectSink } from "./object_sink.ts";
import type {
  EncodedNode,
  ObjectTarget,
  SinkConfig,
  WriterMode,
} from "./sink_config.ts";
import { PackCollector } from "./pack_collector.ts";
import { type FinishedPackFile, randomBytes } from "./pack_files.ts";
import {
  openIndexedState,
  openStoreState,
  type StoreState,
} from "./store_state.ts";
import type { IndexConfig } from "./stored_objects.ts";

/** Ids that a writer can promise before it has to write an index. */
const CLAIM_SLOTS = 2 ** 20;
/** Bytes of packs that a writer can add before it has to write an index. */
const INDEX_BYTE_COUNT = 2 ** 30;
/** Bytes of a row in a set of packs. */
const PACK_ROW_SIZE = 36;
/** Packs that may wait for the store. */
const SPOOLED_PACKS_MAX = 4;

/** Options of {@linkcode openObjectWriter}. */
export interface ObjectWriterOptions extends StoreOptions {
  /** The save id: 16 random bytes, in everything that is written. */
  saveId: Uint8Array;
  /** The hasher. */
  hasher: Hasher;
  /** The settings of the store. */
  settings: StoreSettings;
  /**
   * Which objects are kept.
   *
   * @default {"new"}
   */
  mode?: WriterMode;
  /**
   * Ids of new objects that fit into memory, 36 bytes each, a power of two.
   *
   * @default {1048576}
   */
  claimSlots?: number;
  /**
   * An index is written with this many bytes of packs.
   *
   * @default {1073741824}
   */
  indexByteCount?: number;
  /**
   * Bytes of packs that may wait for the store; above, whoever makes packs waits.
   * Each thread has a pack in hand beside them.
   *
   * @default Four packs
   */
  spoolSizeMax?: number;
  /**
   * Lists the save ids of all records. Packs with trees that no table names are
   * believed if one of them names their save; without it, none is.
   */
  finishedSaves?: () => Promise<ReadonlySet<string>>;
  /** Names of index tables with damaged pages: they are not looked into. */
  damagedTables?: ReadonlySet<string>;
  /** Told of damage that was met and worked around. */
  onDamage?: (name: string, error: unknown) => void;
  /** Where random bytes come from. */
  random?: (size: number) => Uint8Array;
  /** The clock, in milliseconds since 1970. */
  now?: () => number;
}

/**
 * One run that puts objects into a store. Each thread has an {@linkcode
 * ObjectSink}; this stands in the main thread and owns the save id, the claims,
 * the index tables, and the order in which things become durable: packs, then
 * tables, then the record, which is written between {@linkcode
 * ObjectWriter.finish} and {@linkcode ObjectWriter.confirm}.
 */
export class ObjectWriter implements ObjectTarget, AsyncDisposable {
  /** The save id. */
  readonly saveId: Uint8Array;
  /** The beginning of the paths of unfinished files. */
  readonly spoolPath: string;
  readonly #store: WriteStore;
  readonly #options: ObjectWriterOptions;
  readonly #state: StoreState;
  readonly #tables: LocalIndexFiles;
  readonly #spool: Spool;
  readonly #claims: ClaimTable;
  readonly #collector: PackCollector;
  readonly #failed = new AbortController();
  #index: IndexConfig;
  #sink: ObjectSink | undefined;
  #sinkCount = 0;

  /** Made by {@linkcode openObjectWriter}. */
  constructor(
    store: WriteStore,
    options: ObjectWriterOptions,
    parts: {
      readonly state: StoreState;
      readonly tables: LocalIndexFiles;
      readonly spool: Spool;
    },
  ) {
    this.#store = store;
    this.#options = options;
    this.saveId = options.saveId;
    this.spoolPath = parts.spool.path;
    this.#state = parts.state;
    this.#tables = parts.tables;
    this.#spool = parts.spool;
    this.#index = this.#handOut(parts.state.packs);
    this.#claims = new ClaimTable(options.claimSlots ?? CLAIM_SLOTS);
    this.#collector = new PackCollector({
      ...options,
      store,
      random: options.random ?? randomBytes,
      now: options.now ?? Date.now,
      indexByteCount: options.indexByteCount ?? INDEX_BYTE_COUNT,
      spoolSizeMax: options.spoolSizeMax ??
        SPOOLED_PACKS_MAX * options.settings.packSizeTarget,
      spoolPath: this.spoolPath,
      index: parts.tables,
      onError: (error) => this.#failed.abort(error),
    });
  }

  /** Bytes of packs that were added to the store. */
  get storedByteCount(): number {
    return this.#collector.storedByteCount;
  }

  /** Bytes of index tables that were added; those that are merged tell of older packs, too. */
  get indexByteCount(): number {
    return this.#collector.indexByteCount;
  }

  /** The index as it was when the writer was opened. */
  get index(): ObjectIndex {
    return this.#state.index;
  }

  /** Given when something could not be stored, with the reason: the run has to end. */
  get failure(): AbortSignal {
    return this.#failed.signal;
  }

  /**
   * Whether what a record relies on is there without a look: every pack is there
   * that the index names, and every table could be read.
   */
  get trustsRecords(): boolean {
    return this.#state.isHealthy;
  }

  /** Whether there is no room for more claims: time to call {@linkcode ObjectWriter.makeRoom}. */
  get isFull(): boolean {
    return this.#options.mode !== "count" && this.#claims.isFull;
  }

  /**
   * Makes the configuration of a sink in a worker, one for each.
   *
   * @returns What can be sent there.
   */
  sinkConfig(): SinkConfig {
    return { ...this.#sinkConfig(), gate: this.#collector.gate.buffer };
  }

  #sinkConfig(): SinkConfig {
    const { settings, mode = "new" } = this.#options;
    return {
      ...this.#index,
      settings,
      saveId: this.saveId,
      spoolPath: `${this.spoolPath}-sink${this.#sinkCount++}`,
      claims: this.#claims.buffer,
      mode,
    };
  }

  /**
   * Gives the sink of this thread.
   *
   * @returns The sink, always the same one; the writer ends it.
   */
  sink(): ObjectSink {
    const { hasher, random } = this.#options;
    const tools = { hasher, random, target: this };
    return this.#sink ??= new ObjectSink(this.#sinkConfig(), tools);
  }

  /**
   * Takes a pack that a sink finished. A small one waits, to be joined with others.
   *
   * @param pack The pack.
   */
  addPack(pack: FinishedPackFile): void {
    this.#collector.add(pack);
  }

  /**
   * Takes nodes of a recipe into tree packs, each before the one that names it.
   *
   * @param nodes The nodes; a root only when its content has been checked.
   */
  addRecipe(nodes: readonly EncodedNode[]): void {
    const sink = this.sink();
    if (!sink.isKeeping) return;
    for (const { id, bytes, isRoot } of nodes) {
      if (isRoot) sink.putRoot(bytes, id);
      else sink.put(bytes, id, 0, ObjectKind.recipe);
    }
  }

  /**
   * Tells which objects a caller has to bring.
   *
   * @param ids Their ids, one after the other.
   * @param kinds Their kinds.
   * @returns For each 1 if the store does not hold it, else 0. A large object is
   * held if its recipe is, and no pack is lost.
   */
  missing(ids: Uint8Array, kinds: Uint8Array): Uint8Array {
    const sink = this.sink();
    return kinds.map((kind, i) => {
      const isProof = kind !== ObjectKind.recipe || this.trustsRecords;
      return isProof && sink.has(ids, 32 * i, kind as ObjectKind) ? 0 : 1;
    });
  }

  /** Whether so much is on its way into the store that {@link ObjectWriter.settled} is worth waiting for. */
  get isBehind(): boolean {
    return this.#collector.isBehind;
  }

  /** Resolves when no more than the spool may hold is on its way into the store. */
  settled(): Promise<void> {
    return this.#collector.settled();
  }

  /**
   * Writes an index of all that was claimed, and forgets the claims. The sinks
   * of workers have finished before, and reopen with what is returned.
   *
   * @returns The tables, and the packs that are there.
   */
  async makeRoom(): Promise<IndexConfig> {
    const { trustsRecords } = this;
    this.#sink?.finish();
    await this.#collector.finish();
    this.#throwFailure();
    await this.#collector.writeIndex("all");
    this.#index = this.#handOut(
      trustsRecords ? this.#state.packs : await listPacks(this.#store),
    );
    this.#sink?.reopen(this.#index);
    this.#claims.clear();
    return this.#index;
  }

  /**
   * Makes everything durable that a record will rely on, and sees that what was
   * there is there still. The sinks of workers have finished before.
   *
   * @throws {StoreError} If the store fails.
   */
  async finish(): Promise<void> {
    const { signal, mode } = this.#options;
    if (mode === "count") return;
    this.#sink?.finish();
    this.#throwFailure();
    await this.#collector.finish();
    this.#throwFailure();
    await this.#collector.writeIndex("last");
    this.#throwFailure();
    await this.#store.sync(["packs/", "index/"], { signal });
    await this.#checkPacks();
  }

  /**
   * Ends the run after the record is written. Whoever removes packs may have
   * missed this run: here it is looked once more, as soon as packs are removed.
   */
  async confirm(): Promise<void> {}

  /** Leaves the store as it was, but for data packs that the next run can use. */
  async giveUp(): Promise<void> {
    this.#sink?.discard();
    this.#collector.discard();
    try {
      await this.#collector.finish();
      await this.#collector.writeIndex("rescue");
    } catch {
      // The first error is the one that matters.
    }
  }

  /** Removes what is left of unfinished files. A lease would end here. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#sink?.[Symbol.dispose]();
    this.#collector[Symbol.dispose]();
    this.#tables[Symbol.dispose]();
    this.#spool[Symbol.dispose]();
    return Promise.resolve();
  }

  /** Knowledge of the store; the packs say something only if some are lost. */
  #handOut(packs: PackSet): IndexConfig {
    const indexTables = this.#tables.handOut();
    return this.trustsRecords
      ? { indexTables }
      : { indexTables, presentPacks: packs.bytes };
  }

  /** Sees that packs are there still that were there at the start: a record may rely on them. */
  async #checkPacks(): Promise<void> {
    const { packs: before } = this.#state;
    if (before.count === 0) return;
    const packs = await listPacks(this.#store, this.#options);
    const { bytes } = before;
    for (let at = 0; at < bytes.length; at += PACK_ROW_SIZE) {
      if (packs.sizeOf(bytes, at) === before.sizeOf(bytes, at)) continue;
      throw new StoreError(
        "Cannot write the record: a pack has gone meanwhile, begin again",
        { code: "ESTALE", action: "list" },
      );
    }
  }

  #throwFailure(): void {
    this.#options.signal?.throwIfAborted();
    this.#failed.signal.throwIfAborted();
  }
}

/**
 * Opens a store to put objects into it.
 *
 * @param store The store.
 * @param options The save id, the hasher, the settings of the store.
 * @returns The writer. What is not finished when it is disposed of is gone.
 * @throws {StoreError} If the store fails.
 * @throws {IndexSyntaxError} If a page with packs is damaged.
 */
export async function openObjectWriter(
  store: WriteStore,
  options: ObjectWriterOptions,
): Promise<ObjectWriter> {
  // A lease would begin here, before anything is looked at.
  const isDry = options.mode === "count";
  // What a killed run has sent is found below, with what it was sending.
  if (!isDry) await store.finishUploads?.({ signal: options.signal });
  const how = {
    ...options,
    damaged: options.damagedTables ?? new Set<string>(),
    finishedSaves: options.finishedSaves ?? (() => Promise.resolve(new Set())),
  };
  const state = isDry
    ? await openStoreState(store, how)
    : await openIndexedState(store, how);
  const tables = new LocalIndexFiles(store);
  try {
    await tables.add(state.index.liveTables, options);
    const spool = await openSpool(store, options.saveId, { isDry });
    return new ObjectWriter(store, options, { state, tables, spool });
  } catch (error) {
    tables[Symbol.dispose]();
    throw error;
  }
}
