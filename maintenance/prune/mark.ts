import { type Hasher, hexOf, ID_SIZE, idToBytes, parseId } from "@snap/hash";
import {
  INDEX_PREFIX,
  isObjectFault,
  type Location,
  ObjectKind,
  ObjectNotFoundError,
} from "@snap/pack";
import { listPacks, type PackSet } from "@snap/pack/index";
import { openIndex, openStoreReader, type StoreReader } from "@snap/pack/read";
import { RecipeNode, RecipeRowKind } from "@snap/pack/recipe";
import { nativeDecoders } from "@snap/posix/decoders";
import { Pacer } from "@snap/posix/pacer";
import { NotFoundError, type ReadStore, type StoreOptions } from "@snap/store";
import {
  contentsOf,
  IdSet,
  type ReachedDirectory,
  ReachWalk,
} from "@snap/snapshot/reach";
import {
  findRecord,
  listRecordNames,
  type NamedRecord,
  type RecordFile,
} from "@snap/snapshot/records";
import { BrokenSnapshotError } from "./errors.ts";
import { Marks } from "./marks.ts";

/** Most memory for pages of the index in bytes. */
const INDEX_CACHE_SIZE = 64 << 20;
/** Records that are read at once. */
const READS_AT_ONCE = 16;
/** Snapshots that are gone through at once where each directory costs a round trip. */
const FAR_WALKS = 16;

/** What marks are made with. */
export interface MarkOptions extends StoreOptions {
  readonly hasher: Hasher;
  /** Packs that a round condemns, as hex digits: what lies elsewhere, too, is kept there. */
  readonly condemned: ReadonlySet<string>;
  /** Packs that are known to be damaged, as hex digits: they come last. */
  readonly bad: ReadonlySet<string>;
  /** Directories all of which is known to be kept. */
  readonly seen?: IdSet | undefined;
  /** Ids of records that count as forgotten. */
  readonly forgotten: ReadonlySet<string>;
  /** Ids of records that may be broken. */
  readonly despite: ReadonlySet<string>;
  /** Told how far it is. */
  readonly onProgress: (done: number, total: number) => void;
}

/** What the records of a store need. */
export interface Marked extends AsyncDisposable {
  readonly marks: Marks;
  readonly reader: StoreReader;
  /** Packs that were there before the records were listed. */
  readonly packs: PackSet;
  readonly recordCount: number;
  /** Directories that were gone through. */
  readonly seen: IdSet;
}

/**
 * Marks all that the records of a store need that are not void.
 *
 * @throws {BrokenSnapshotError} If something of a record is damaged or not found.
 */
export async function markNeeded(
  store: ReadStore,
  options: MarkOptions,
): Promise<Marked> {
  const { signal, hasher } = options;
  // In this order: packs that come later are not looked at, and what a record
  // needs is in the index that is opened after it was listed.
  const packs = await listPacks(store, { signal });
  const records = (await listRecordNames(store, { signal }))
    .filter(({ record }) => !options.forgotten.has(record));
  const index = await openIndex(store, {
    signal,
    hasher,
    cacheSize: Math.min(await indexSize(store, options), INDEX_CACHE_SIZE),
  });
  index.index.setPresentPacks(await listPacks(store, { signal }));
  for (const id of [...options.bad, ...options.condemned]) {
    index.index.markBad(idToBytes(parseId(id)));
  }
  const reader = await openStoreReader(store, {
    ...{ hasher, index },
    decoders: nativeDecoders,
  });
  try {
    const walk = new MarkWalk(store, reader, options);
    await walk.run(records);
    const { marks, seen } = walk;
    return {
      marks,
      reader,
      packs,
      seen,
      recordCount: records.length,
      [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
    };
  } catch (error) {
    await reader[Symbol.asyncDispose]();
    throw error;
  }
}

async function indexSize(
  store: ReadStore,
  { signal }: StoreOptions,
): Promise<number> {
  let sum = 0;
  for await (const batch of store.list(INDEX_PREFIX, { signal })) {
    for (const { size } of batch) sum += size;
  }
  return sum;
}

class MarkWalk {
  readonly marks: Marks = new Marks();
  readonly seen: IdSet;
  readonly #store: ReadStore;
  readonly #reader: StoreReader;
  readonly #options: MarkOptions;
  readonly #storeOptions: StoreOptions;
  readonly #pacer: Pacer;
  #doneCount = 0;
  #totalCount = 0;

  constructor(store: ReadStore, reader: StoreReader, options: MarkOptions) {
    this.#store = store;
    this.#reader = reader;
    this.#options = options;
    const { signal } = options;
    this.#storeOptions = { signal };
    this.#pacer = new Pacer({
      signal,
      onTurn: () => options.onProgress(this.#doneCount, this.#totalCount),
    });
    this.seen = options.seen ?? new IdSet();
  }

  async run(files: readonly RecordFile[]): Promise<void> {
    const { despite } = this.#options;
    this.#totalCount = files.length;
    const broken = files.filter(({ record }) => despite.has(record));
    const others = files.filter(({ record }) => !despite.has(record));
    await this.#walkAll(others);
    // Last: of a directory that a broken one shares with others all is marked then.
    await this.#walkAll(broken);
  }

  async #walkAll(files: readonly RecordFile[]): Promise<void> {
    const records = this.#records(files);
    const count = this.#reader.ranges.isFar ? FAR_WALKS : 1;
    // What fails in one walk ends the records for all.
    const walk = async (): Promise<void> => {
      for await (const record of records) {
        await this.#walk(record);
        this.#doneCount++;
      }
    };
    const walks = Array.from({ length: count }, walk);
    await Promise.allSettled(walks); // Whoever started work waits for its end.
    await Promise.all(walks);
  }

  /** Reads records, some ahead. */
  async *#records(files: readonly RecordFile[]): AsyncGenerator<NamedRecord> {
    for (let at = 0; at < files.length; at += READS_AT_ONCE) {
      this.#options.signal?.throwIfAborted();
      const reads = files.slice(at, at + READS_AT_ONCE)
        .map((file) => this.#read(file));
      await Promise.allSettled(reads); // Whoever started work waits for its end.
      for (const record of await Promise.all(reads)) {
        if (record !== undefined) yield record;
      }
    }
  }

  /** Reads a record; undefined for one that was forgotten meanwhile. */
  async #read(file: RecordFile): Promise<NamedRecord | undefined> {
    const { hasher } = this.#options;
    try {
      const how = { ...this.#storeOptions, hasher };
      return await findRecord(this.#store, file, how);
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      this.#tolerate(error, file);
      return undefined;
    }
  }

  async #walk(record: NamedRecord): Promise<void> {
    const walk = new ReachWalk(this.#reader, record, {
      ...this.#storeOptions,
      seen: this.seen,
    });
    for (;;) {
      try {
        const directory = await walk.next();
        if (directory === undefined) return;
        await this.#markDirectory(directory, record);
      } catch (error) {
        this.#tolerate(error, record);
      }
    }
  }

  /** Goes on only where the user knows that the record is broken. */
  #tolerate(error: unknown, file: RecordFile): void {
    this.#options.signal?.throwIfAborted();
    if (!isObjectFault(error)) throw error;
    if (this.#options.despite.has(file.record)) return;
    throw new BrokenSnapshotError(file, error as Error);
  }

  async #markDirectory(
    directory: ReachedDirectory,
    record: NamedRecord,
  ): Promise<void> {
    const { treeId, pageId, tree } = directory;
    // They were read: a copy that is damaged comes last now.
    await this.#mark(treeId, ObjectKind.tree);
    await this.#mark(pageId, ObjectKind.attributes);
    for (const { ids, idStart } of contentsOf(directory)) {
      try {
        const pending = this.#markContent(ids, idStart);
        if (pending !== undefined) await pending;
      } catch (error) {
        this.#tolerate(error, record);
      }
    }
    const turn = this.#pacer.yield(256 * (tree.count + 16));
    if (turn !== undefined) await turn;
  }

  /** Marks content; a promise only where something has to be read. */
  #markContent(ids: Uint8Array, idStart: number): Promise<void> | undefined {
    const { index } = this.#reader;
    const place = index.contentNow(ids, idStart);
    const isKnown = place !== undefined && place !== "recipe";
    if (isKnown && !index.index.isBad(place)) {
      this.marks.add(place);
      return undefined;
    }
    const id = ids.slice(idStart, idStart + ID_SIZE);
    return this.#mark(id, ObjectKind.content);
  }

  async #mark(id: Uint8Array, kind: number): Promise<void> {
    const place = await this.#locate(id, kind);
    if (place !== undefined) this.marks.add(place);
    else await this.#markRecipe(id, kind);
  }

  /** Marks a node of a recipe, and what is below it. */
  async #markRecipe(id: Uint8Array, kind: number): Promise<void> {
    const { recipe } = ObjectKind;
    const place = await this.#locate(id, recipe);
    if (place === undefined) throw new ObjectNotFoundError(id, kind);
    if (this.marks.has(place)) return;
    const bytes = await this.#reader.readStored(id, recipe, this.#storeOptions);
    if (bytes === undefined) throw new ObjectNotFoundError(id, kind);
    // The copy that was read: another may have been found to be damaged.
    this.marks.add(await this.#locate(id, recipe) ?? place);
    const node = RecipeNode.decode(bytes, this.#options.hasher);
    for (let row = 0; row < node.count; row++) {
      const start = node.idStart(row);
      const rowKind = node.rowKind(row);
      if (rowKind === RecipeRowKind.chunk) {
        const pending = this.#markContent(bytes, start);
        if (pending !== undefined) await pending;
      } else if (rowKind === RecipeRowKind.node) {
        await this.#markRecipe(bytes.slice(start, start + ID_SIZE), recipe);
      }
    }
    const turn = this.#pacer.yield(bytes.length);
    if (turn !== undefined) await turn;
  }

  /** Finds the copy that is kept: sound before damaged, and of these not condemned before condemned. */
  async #locate(id: Uint8Array, kind: number): Promise<Location | undefined> {
    const { index } = this.#reader;
    const place = await index.locate(id, kind, this.#storeOptions);
    if (place === undefined || !index.index.isBad(place)) return place;
    const copies = await index.locateAll(id, kind, this.#storeOptions);
    let best = place;
    for (const copy of copies) {
      if (this.#rank(copy) < this.#rank(best)) best = copy;
    }
    return best;
  }

  #rank(place: Location): number {
    const { bad, condemned } = this.#options;
    const id = hexOf(place.packId);
    const isCondemned = condemned.has(id);
    if (bad.has(id)) return isCondemned ? 3 : 2;
    if (isCondemned) return 1;
    return this.#reader.index.index.isBad(place) ? 2 : 0;
  }
}
