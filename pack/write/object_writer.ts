/**
 * The one way into a store: claims, packs, tables, and what is durable before what.
 *
 * @module
 */
import type { Hasher } from "@snap/hash";
import type { StoreOptions, WriteStore } from "@snap/store";
import type { StoreSettings } from "@snap/store/format";
import type { Spool } from "@snap/store/owner";
import type { Round } from "@snap/store/removal";
import type { FrameEncoders } from "../codec/lz4_codec.ts";
import type { ObjectIndex } from "../index/object_index.ts";
import { listPacks, type PackSet } from "../index/pack_set.ts";
import { StoreIndex } from "../index/store_index.ts";
import { ObjectKind } from "../object_kind.ts";
import { ClaimTable } from "./claim_table.ts";
import type { LocalIndexFiles } from "./local_index_files.ts";
import { ObjectSink } from "./object_sink.ts";
import type {
  EncodedNode,
  ObjectTarget,
  SinkConfig,
  WriterMode,
} from "./sink_config.ts";
import { PackCollector } from "./pack_collector.ts";
import { RecipeProof } from "./recipe_proof.ts";
import { type FinishedPackFile, randomBytes } from "./pack_files.ts";
import type { StoreState } from "./store_state.ts";
import type { IndexConfig } from "./stored_objects.ts";
import type { WriterLease } from "./writer_lease.ts";

/** Ids that a writer can promise before it has to write an index. */
const CLAIM_SLOTS = 2 ** 20;
/** Bytes of packs that a writer can add before it has to write an index. */
const INDEX_BYTE_COUNT = 2 ** 30;
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
  /** The lease of the run, which the writer ends; it begins one where none is given. */
  lease?: WriterLease;
  /**
   * What the run does, for people who wait for its lease.
   *
   * @default {"write"}
   */
  action?: string;
  /** Where it runs, for the same. */
  host?: string;
  /** Which program it is, for the same. */
  program?: string;
  /** Save ids of records that it writes beside that under its own, 32 hex digits each. */
  saveIds?: readonly string[];
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
  /** What compresses instead of the codecs, in the sink of this thread. */
  encoders?: FrameEncoders;
  /** Where random bytes come from. */
  random?: (size: number) => Uint8Array;
  /** The clock, in milliseconds since 1970. */
  now?: () => number;
}

/**
 * What an {@linkcode ObjectWriter} is made of.
 *
 * @internal
 */
export interface ObjectWriterParts {
  /** The lease; a run that only counts has none. */
  readonly lease: WriterLease | undefined;
  /** The state of removal, read once the lease was there. */
  readonly round: Round;
  /** What the store held. */
  readonly state: StoreState;
  /** The files of its index tables. */
  readonly tables: LocalIndexFiles;
  /** The folder of unfinished files. */
  readonly spool: Spool;
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
  /** Ids of the objects that were taken since the last index was written. */
  readonly claims: ClaimTable;
  /** The index as it was when the writer was opened. */
  readonly index: ObjectIndex;
  readonly #store: WriteStore;
  readonly #options: ObjectWriterOptions;
  readonly #lease: WriterLease | undefined;
  readonly #round: Round;
  readonly #tables: LocalIndexFiles;
  readonly #spool: Spool;
  readonly #collector: PackCollector;
  readonly #proof: RecipeProof;
  readonly #failed = new AbortController();
  #index: IndexConfig;
  #sink: ObjectSink | undefined;
  #sinkCount = 0;

  /** Made by {@linkcode openObjectWriter}. */
  constructor(
    store: WriteStore,
    options: ObjectWriterOptions,
    parts: ObjectWriterParts,
  ) {
    this.#store = store;
    this.#options = options;
    this.saveId = options.saveId;
    this.spoolPath = parts.spool.path;
    this.index = parts.state.index;
    this.#lease = parts.lease;
    this.#round = parts.round;
    this.#tables = parts.tables;
    this.#spool = parts.spool;
    const counted = parts.state.packs.without(this.#round.absentPacks);
    const isKnown = parts.state.isHealthy && counted === parts.state.packs;
    this.#index = this.#handOut(isKnown ? undefined : counted);
    this.claims = new ClaimTable(options.claimSlots ?? CLAIM_SLOTS);
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
    this.#lease?.failure.addEventListener("abort", this.#onOvertaken);
    this.#proof = new RecipeProof({
      ...{ store, hasher: options.hasher },
      index: new StoreIndex(parts.state.index, store),
      has: (id, kind) => this.sink().has(id, 0, kind),
      distrust: (id) => this.sink().distrust(id),
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

  /** Given when something could not be stored, with the reason: the run has to end. */
  get failure(): AbortSignal {
    return this.#failed.signal;
  }

  /**
   * Whether what a record relies on is there without a look: every pack is there
   * that the index names, every table could be read, no pack is known to be
   * damaged, and none is being removed.
   */
  get trustsRecords(): boolean {
    return !this.isRoundOpen && this.#index.presentPacks === undefined;
  }

  /** Whether packs are being removed: then no record takes the place of a new one, either. */
  get isRoundOpen(): boolean {
    return this.#round.steps.length > 0;
  }

  /** Whether there is no room for more claims: time to call {@linkcode ObjectWriter.makeRoom}. */
  get isFull(): boolean {
    return this.#options.mode !== "count" && this.claims.isFull;
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
      claims: this.claims.buffer,
      mode,
    };
  }

  /** Gives the sink of this thread, always the same one; the writer ends it. */
  sink(): ObjectSink {
    const { hasher, random, encoders } = this.#options;
    const tools = { hasher, random, target: this, encoders };
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
   * @param options What ends the wait.
   * @returns For each 1 if no pack that counts holds it, else 0. A large object is
   * held if its recipe is, and all that this names.
   * @throws {StoreError} If the store fails.
   */
  async missing(
    ids: Uint8Array,
    kinds: Uint8Array,
    options: StoreOptions = {},
  ): Promise<Uint8Array> {
    const sink = this.sink();
    const { recipe } = ObjectKind;
    const bits = new Uint8Array(kinds.length);
    for (const [i, kind] of kinds.entries()) {
      const at = 32 * i;
      if (kind !== recipe && sink.has(ids, at, kind as ObjectKind)) continue;
      const isHeld = sink.has(ids, at, recipe) &&
        await this.#proof.holds(ids.slice(at, at + 32), options);
      if (!isHeld) bits[i] = 1;
    }
    return bits;
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
    this.#sink?.finish();
    await this.#collector.finish();
    this.#throwFailure();
    await this.#collector.writeIndex("all");
    // Where some did not count these may be gone by now: the tables name them still.
    const isKnown = this.#index.presentPacks === undefined;
    const packs = isKnown ? undefined : await listPacks(this.#store);
    this.#index = this.#handOut(packs?.without(this.#round.absentPacks));
    this.#sink?.reopen(this.#index);
    this.claims.clear();
    return this.#index;
  }

  /**
   * Makes everything durable that a record will rely on. The sinks of workers
   * have finished before.
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
  }

  /**
   * Looks after the record is written whether packs were removed without the run.
   *
   * @throws {OvertakenError} If so: the record does not count, and is best removed.
   * @throws {StoreError} If the store fails.
   */
  async confirm(): Promise<void> {
    await this.#lease?.confirm(this.#options);
  }

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

  /** Removes what is left of unfinished files, and ends the lease. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#lease?.failure.removeEventListener("abort", this.#onOvertaken);
    this.#sink?.[Symbol.dispose]();
    this.#collector[Symbol.dispose]();
    this.#tables[Symbol.dispose]();
    this.#spool[Symbol.dispose]();
    await this.#proof[Symbol.asyncDispose]();
    await this.#lease?.[Symbol.asyncDispose]();
  }

  readonly #onOvertaken = (): void =>
    this.#failed.abort(this.#lease!.failure.reason);

  /** Knowledge of the store, with the packs that count if not all do that the tables name. */
  #handOut(packs: PackSet | undefined): IndexConfig {
    const indexTables = this.#tables.handOut();
    return packs === undefined
      ? { indexTables }
      : { indexTables, presentPacks: packs.bytes };
  }

  #throwFailure(): void {
    this.#options.signal?.throwIfAborted();
    this.#failed.signal.throwIfAborted();
  }
}
