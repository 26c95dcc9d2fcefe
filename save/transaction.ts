import type { Source } from "@snap/disk/source";
import { hexOf, type Id, idFromBytes } from "@snap/hash";
import { parseCodec } from "@snap/pack/codecs";
import { listPacks, type PackSet } from "@snap/pack/index";
import { ObjectKind, objectKindName } from "@snap/pack";
import { openRanges, openStoreReader, StoreIndex } from "@snap/pack/read";
import type { WriteStore } from "@snap/store";
import { ClaimTable } from "./pack/claim_table.ts";
import { KnownIndex } from "./pack/stored_objects.ts";
import { openIndexed } from "./open_indexed.ts";
import { PackCollector } from "./publish/pack_collector.ts";
import { PagedRoom } from "./walk/spill_file.ts";
import type { ParentDirectory } from "./walk/previous_directory.ts";
import { type NamedRecord, parseTime } from "@snap/snapshot/records";
import { recordsOfSource } from "./records_of_source.ts";
import { Resources } from "./resources.ts";
import type { SaveOptions } from "./save.ts";
import { ParentReader } from "./walk/previous_reader.ts";
import type { IndexConfig } from "./messages.ts";
import { SaveRun } from "./pipeline.ts";
import type { SaveRunResult } from "./pipeline_options.ts";
import type { SaveProgress } from "./progress.ts";
import type { Snapshots } from "@snap/snapshot";
import { LocalIndexFiles, removeSpooled } from "./publish/spool.ts";
import { removeAbandoned, SpoolOwner } from "@snap/store/owner";
import type { StoreState } from "./store_state.ts";
import { TreeSaver } from "./pack/metadata_packer.ts";

/** Ids that one save can promise before it has to write an index. */
const CLAIM_SLOTS = 2 ** 20;
/** Bytes of packs that one save can add before it has to write an index. */
const INDEX_BYTE_COUNT = 2 ** 30;

/** What {@linkcode storeRun} needs. */
export interface StoreRunOptions extends SaveOptions {
  readonly source: Source;
  readonly saveId: Uint8Array;
  readonly random: (size: number) => Uint8Array;
  readonly now: () => number;
  readonly host: string;
  /** The source as it stands in records. */
  readonly sourceText: string;
  /** Index tables that are not to be looked into. */
  readonly damaged: ReadonlySet<string>;
}

/** What a run into a store found. */
export interface StoreRunResult extends SaveRunResult {
  readonly progress: SaveProgress;
  readonly storedByteCount: number;
  readonly indexByteCount: number;
  /** Records of this host and source that are not later than now, newest first. */
  readonly sameSource: readonly NamedRecord[];
}

/**
 * Walks a source and stores what is new: packs, then the index.
 *
 * @param snapshots The store.
 * @param options The source, and how to read it.
 * @returns What was found. Everything that a record will need is durable.
 */
export async function storeRun(
  snapshots: Snapshots<WriteStore>,
  options: StoreRunOptions,
): Promise<StoreRunResult> {
  const resources = new Resources();
  try {
    return await runWith(resources, snapshots, options);
  } finally {
    await resources.close();
  }
}

async function runWith(
  resources: Resources,
  snapshots: Snapshots<WriteStore>,
  options: StoreRunOptions,
): Promise<StoreRunResult> {
  const { store } = snapshots;
  await snapshots.refresh();
  const state = await openIndexed(snapshots, options);
  const sameSource = await recordsOfSource(snapshots, options);
  const parentRecord = options.readAll === true ? undefined : sameSource[0];
  const index = resources.use(new LocalIndexFiles(store));
  await index.add(state.index.liveTables, options);
  const ranges = resources.use(await openRanges(store));
  const reader = resources.use(
    await openStoreReader(store, {
      hasher: snapshots.hasher,
      index: new StoreIndex(state.index, store, { ranges }),
      ranges,
    }),
  );
  const stage = await Stage.open(snapshots, options, index, state);
  try {
    const parents = resources.use(
      new ParentReader(
        reader,
        stage.room,
        (id, kind, error) => stage.noteDamage(id, kind, error),
      ),
    );
    const parent = parentRecord === undefined
      ? undefined
      : await parents.root(parentRecord);
    const run = stage.run(parents, parent, parentRecord);
    const result = await run.run();
    await stage.finish(state);
    await snapshots.refresh();
    return {
      ...result,
      progress: run.progress,
      storedByteCount: stage.collector.storedByteCount,
      indexByteCount: stage.collector.indexByteCount,
      sameSource,
    };
  } catch (error) {
    await stage.giveUp();
    throw error;
  } finally {
    stage[Symbol.dispose]();
  }
}

/** Everything between a run and its store. */
class Stage implements Disposable {
  readonly collector: PackCollector;
  /** Where directories lie that are too wide for memory. */
  readonly room: PagedRoom;
  readonly #snapshots: Snapshots<WriteStore>;
  readonly #options: StoreRunOptions;
  readonly #index: LocalIndexFiles;
  readonly #state: StoreState;
  readonly #spoolPaths: readonly string[];
  readonly #owner: SpoolOwner | undefined;
  readonly #claims: ClaimTable;
  #known: KnownIndex;
  readonly #trees: TreeSaver;
  readonly #damaged = new Set<Id>();
  #run: SaveRun | undefined;
  #failure: { readonly error: unknown } | undefined;

  private constructor(
    snapshots: Snapshots<WriteStore>,
    options: StoreRunOptions,
    index: LocalIndexFiles,
    state: StoreState,
    spoolPaths: readonly string[],
    owner?: SpoolOwner,
  ) {
    this.#snapshots = snapshots;
    this.#options = options;
    this.#index = index;
    this.#state = state;
    this.#spoolPaths = spoolPaths;
    this.#owner = owner;
    const { settings, hasher, store } = snapshots;
    const { claimSlots = CLAIM_SLOTS } = options;
    this.#claims = new ClaimTable(claimSlots);
    this.#known = new KnownIndex({
      ...this.#indexConfig(state.packs),
      hasher,
    });
    const spoolPath = spoolPaths.at(-1)!;
    this.room = new PagedRoom(spoolPath);
    this.collector = new PackCollector({
      ...options,
      store,
      settings,
      hasher,
      spoolPath,
      indexByteCount: options.indexByteCount ?? INDEX_BYTE_COUNT,
      index,
      onError: (error) => this.#fail(error),
    });
    this.#trees = new TreeSaver({
      ...options,
      settings,
      codec: parseCodec(settings.codec),
      hasher,
      claims: this.#claims,
      isStored: (id, offset, kind) =>
        !this.#isDamaged(id, offset) && this.#known.has(id, offset, kind),
      isHealthy: state.isHealthy,
      spoolPath: `${spoolPath}-trees`,
      onPack: (pack) => this.collector.add(pack),
    });
  }

  static async open(
    snapshots: Snapshots<WriteStore>,
    options: StoreRunOptions,
    index: LocalIndexFiles,
    state: StoreState,
  ): Promise<Stage> {
    const saveId = hexOf(options.saveId);
    const spoolPaths: string[] = [];
    // One for each worker, one for this thread, one for what it collects.
    for (let i = 0; i < (options.workers ?? 0) + 2; i++) {
      spoolPaths.push(await snapshots.store.spoolPath(saveId));
    }
    const isLocal = snapshots.store.localPath !== undefined;
    if (!isLocal || options.dryRun === true) {
      return new Stage(snapshots, options, index, state, spoolPaths);
    }
    removeAbandoned(spoolPaths[0]);
    const owner = new SpoolOwner(spoolPaths[0]);
    try {
      return new Stage(snapshots, options, index, state, spoolPaths, owner);
    } catch (error) {
      owner[Symbol.dispose]();
      throw error;
    }
  }

  run(
    parents: ParentReader,
    parent: ParentDirectory | undefined,
    parentRecord: NamedRecord | undefined,
  ): SaveRun {
    const { settings, hasher } = this.#snapshots;
    const isDry = this.#options.dryRun === true;
    this.#run = new SaveRun({
      source: this.#options.source,
      config: {
        settings,
        saveId: this.#options.saveId,
        ...this.#indexConfig(this.#state.packs),
        claims: this.#claims.buffer,
        mode: isDry ? "count" : "store",
      },
      hasher,
      random: this.#options.random,
      workers: this.#options.workers ?? 0,
      spoolPaths: this.#spoolPaths,
      parent,
      parentStart: parentRecord === undefined
        ? undefined
        : parseTime(parentRecord.startTime),
      openParent: (ids) => parents.directory(ids),
      makeWide: (size) => this.room.make(size),
      ...(this.#state.isHealthy ? {} : {
        isStored: (id: Uint8Array, offset: number) =>
          this.#known.has(id, offset, ObjectKind.content),
      }),
      trustStat: this.#options.trustStat ?? false,
      saveObject: (context, kind, object, out, offset) =>
        isDry
          ? this.#trees.name(context, object, out, offset)
          : this.#trees.save(context, kind, object, out, offset),
      saveRecipe: ({ id, bytes, isRoot }) => {
        if (isDry) return;
        if (isRoot) this.#trees.saveRecipeRoot(id, bytes);
        else this.#trees.saveRecipeNode(id, bytes);
      },
      onPack: (pack) => this.collector.add(pack),
      settled: () => this.collector.settled(),
      ...(isDry ? {} : {
        room: {
          isFull: () => this.#claims.isFull,
          make: () => this.#makeRoom(),
        },
      }),
      onProgress: this.#options.onProgress,
      signal: this.#options.signal,
    });
    return this.#run;
  }

  /**
   * Notes an object of the snapshot before that cannot be read: it is stored again.
   *
   * @param id Its id.
   * @param kind Its kind.
   * @param error What is wrong with it.
   */
  noteDamage(id: Uint8Array, kind: number, error: unknown): void {
    const text = idFromBytes(id);
    this.#damaged.add(text);
    this.#options.onDamage?.(`${objectKindName(kind)} ${text}`, error);
  }

  #isDamaged(id: Uint8Array, offset: number): boolean {
    return this.#damaged.size > 0 &&
      this.#damaged.has(idFromBytes(id, offset));
  }

  /** Writes an index of all that was claimed, so that the claims can be forgotten. */
  async #makeRoom(): Promise<IndexConfig> {
    const { store, hasher } = this.#snapshots;
    this.#trees.finish();
    await this.collector.finish();
    this.#throwFailure();
    await this.collector.writeIndex("all");
    const config = this.#indexConfig(
      this.#state.isHealthy ? this.#state.packs : await listPacks(store),
    );
    this.#known[Symbol.dispose]();
    this.#known = new KnownIndex({ ...config, hasher });
    this.#claims.clear();
    return config;
  }

  /** Makes everything durable that the record will rely on. */
  async finish(state: StoreState): Promise<void> {
    const { signal, dryRun } = this.#options;
    if (dryRun === true) return;
    const { store } = this.#snapshots;
    this.#trees.finish();
    this.#throwFailure();
    await this.collector.finish();
    this.#throwFailure();
    await this.collector.writeIndex("last");
    this.#throwFailure();
    await store.sync(["packs/", "index/"], signal && { signal });
    if (state.packs.count > 0) await checkPacks(store, state, this.#options);
  }

  /** Leaves the store as it was, but for packs that the next save can use. */
  async giveUp(): Promise<void> {
    this.#trees.discard();
    this.collector.discard();
    try {
      await this.collector.finish();
      await this.collector.writeIndex("rescue");
    } catch {
      // The first error is the one that matters.
    }
  }

  [Symbol.dispose](): void {
    this.#known[Symbol.dispose]();
    this.collector[Symbol.dispose]();
    this.room[Symbol.dispose]();
    for (const path of this.#spoolPaths) removeSpooled(path);
    this.#owner?.[Symbol.dispose]();
  }

  /** What is known of the store; the packs say something only if some are lost. */
  #indexConfig(packs: PackSet): IndexConfig {
    return {
      indexTables: this.#index.handOut(),
      ...(this.#state.isHealthy ? {} : { presentPacks: packs.bytes }),
    };
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#run?.fail(error);
  }

  #throwFailure(): void {
    this.#options.signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

/** A pack that was there at the start may be relied on: it has to be there still. */
async function checkPacks(
  store: WriteStore,
  state: StoreState,
  options: StoreRunOptions,
): Promise<void> {
  const packs = await listPacks(store, options);
  const size = 36;
  for (let at = 0; at < state.packs.bytes.length; at += size) {
    const before = state.packs.sizeOf(state.packs.bytes, at);
    if (packs.sizeOf(state.packs.bytes, at) === before) continue;
    throw new Error(
      "Cannot write the record as a pack has gone while the save ran: save again",
    );
  }
}
