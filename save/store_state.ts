import type { Hasher } from "@snap/hash";
import {
  listPacks,
  type ObjectIndex,
  type PackSet,
  replacedTables,
} from "@snap/pack/index";
import { openIndex, StoreIndex } from "@snap/pack/read";
import type { ReadStore, StoreEntry, StoreOptions } from "@snap/store";

/** What a store holds when a save begins. */
export interface StoreState {
  readonly packs: PackSet;
  /** Whether every pack that the index names is there, and every table was read. */
  readonly isHealthy: boolean;
  readonly index: ObjectIndex;
  /** Packs that no table names that was read. */
  readonly unnamed: readonly StoreEntry[];
}

/** Options for {@linkcode openStoreState}. */
export interface StoreStateOptions extends StoreOptions {
  readonly hasher: Hasher;
  /** Tables with damaged pages: they are not looked into. */
  readonly damaged: ReadonlySet<string>;
  /** Told of a table that cannot be read. */
  readonly onDamage?: (name: string, error: unknown) => void;
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
  const { hasher, damaged, onDamage, signal } = options;
  const range = signal === undefined ? {} : { signal };
  const opened = await openIndex(store, {
    ...range,
    hasher,
    without: damaged,
    onDamage: (name, error) => onDamage?.(name, error),
  });
  const { index } = opened;
  const replaced = replacedTables(index.tables);
  // Only what was there when the index was opened: another save may add tables.
  const unread = [...opened.damaged, ...damaged];
  let isHealthy = unread.every((name) => replaced.has(name));
  // After the tables: what one of them names was there before it.
  const packs = await listPacks(store, range);
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
