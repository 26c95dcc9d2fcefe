import type { Hasher } from "@snap/hash";
import { replacedTables } from "../index/index_file.ts";
import type { ObjectIndex } from "../index/object_index.ts";
import { openIndex } from "../index/open_index.ts";
import { listPacks, type PackSet } from "../index/pack_set.ts";
import { StoreIndex } from "../index/store_index.ts";
import type {
  ReadStore,
  StoreEntry,
  StoreOptions,
  WriteStore,
} from "@snap/store";
import {
  type IndexedUnnamed,
  indexUnnamed,
  type RepairOptions,
} from "./index_repair.ts";

/** Index and packs of a store when a writer begins. */
export interface StoreState {
  /** The packs that are there. */
  readonly packs: PackSet;
  /** Whether every pack that the index names is there, and every table was read. */
  readonly isHealthy: boolean;
  /** The index of those tables that could be read. */
  readonly index: ObjectIndex;
  /** Packs that no table names that was read. */
  readonly unnamed: readonly StoreEntry[];
}

/** Options of {@linkcode openStoreState}. */
export interface StoreStateOptions extends StoreOptions {
  /** The hasher. */
  readonly hasher: Hasher;
  /** Tables with damaged pages: they are not looked into. */
  readonly damaged: ReadonlySet<string>;
  /** Told of a table that cannot be read. */
  readonly onDamage?: (name: string, error: unknown) => void;
  /** What has to end before packs are listed; nothing if absent. */
  readonly before?: Promise<unknown>;
}

/**
 * Opens the index of a store, and looks which packs are there.
 *
 * @param store The store.
 * @param options What is known to be damaged.
 * @returns What the store holds.
 * @throws {IndexSyntaxError} If a page with packs is damaged.
 */
export async function openStoreState(
  store: ReadStore,
  options: StoreStateOptions,
): Promise<StoreState> {
  const { hasher, damaged, onDamage, before, signal } = options;
  const range = { signal };
  let listing: Promise<PackSet> | undefined;
  const opening = openIndex(store, {
    ...range,
    hasher,
    without: damaged,
    onDamage: (name, error) => onDamage?.(name, error),
    // After the tables: what one of them names was there before it.
    onListed: () => {
      listing = Promise.resolve(before).then(() => listPacks(store, range));
      listing.catch(() => {}); // Whoever awaits it is told.
    },
  });
  // Whoever started work waits for its end.
  await Promise.allSettled([opening.finally(() => listing)]);
  const opened = await opening;
  const { index } = opened;
  const replaced = replacedTables(index.tables);
  // Only what was there when the index was opened: another save may add tables.
  const unread = [...opened.damaged, ...damaged];
  let isHealthy = unread.every((name) => replaced.has(name));
  const packs = await listing!;
  const named = new Set<string>();
  // An index that is what it is: a page that is damaged is an error.
  for await (const batch of new StoreIndex(index, store).packs(range)) {
    for (const { packId, packName, packSize } of batch) {
      // A row is a claim about a pack of its size.
      if (packs.sizeOf(packId, 0) === packSize) named.add(packName);
      else isHealthy = false;
    }
  }
  if (!isHealthy) index.setPresentPacks(packs);
  const unnamed = packs.packs().filter(({ name }) => !named.has(name));
  return { packs, isHealthy, index, unnamed };
}

/** Options of {@linkcode openIndexedState}. */
export interface IndexedStateOptions extends StoreStateOptions, RepairOptions {
  /** Lists the save ids of all records: packs with trees are believed if one names their save. */
  readonly finishedSaves: () => Promise<ReadonlySet<string>>;
  /** Ids of saves whose packs with trees are believed, too, though no record names them yet. */
  readonly believed?: ReadonlySet<string>;
}

/** State of a store once its index tells of all packs. */
export interface IndexedState extends StoreState {
  /** Packs that the index was told of; undefined if it told of all. */
  readonly indexed?: IndexedUnnamed;
}

/**
 * Opens the index of a store once its tables tell of all packs that are there.
 *
 * @param store The store.
 * @param options What is known to be damaged.
 * @returns What the store holds.
 */
export async function openIndexedState(
  store: WriteStore,
  options: IndexedStateOptions,
): Promise<IndexedState> {
  const first = await openStoreState(store, options);
  if (first.unnamed.length === 0) return first;
  const { onDamage, ...quietly } = options;
  // In this order: what has a record by now has an index that is seen below.
  const finished = await options.finishedSaves();
  const state = await openStoreState(store, quietly);
  const { hasher } = options;
  const indexed = await indexUnnamed({ store, hasher }, {
    ...options,
    packs: state.unnamed,
    finished,
  });
  for (const { name, error } of indexed.damaged) onDamage?.(name, error);
  if (indexed.packCount === 0) return { ...state, indexed };
  const again = await openStoreState(store, quietly);
  if (!indexed.isIndexLost) return { ...again, indexed };
  // With the index it may have been forgotten that packs were lost.
  again.index.setPresentPacks(again.packs);
  return { ...again, isHealthy: false, indexed };
}
