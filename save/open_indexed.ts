import type { WriteStore } from "@snap/store";
import { finishedSaves, indexUnnamed } from "./publish/write_index.ts";
import type { SaveOptions } from "./save.ts";
import type { Snapshots } from "@snap/snapshot";
import { openStoreState, type StoreState } from "./store_state.ts";

/**
 * Opens what the store holds, for a save. Packs that no table names are told of first.
 *
 * @param snapshots The store.
 * @param options The options of the save, and what is known to be damaged.
 * @returns What the store holds.
 */
export async function openIndexed(
  snapshots: Snapshots<WriteStore>,
  options: SaveOptions & { readonly damaged: ReadonlySet<string> },
): Promise<StoreState> {
  const { store, hasher } = snapshots;
  const how = { ...options, hasher };
  const first = await openStoreState(store, how);
  if (first.unnamed.length === 0 || options.dryRun === true) return first;
  const { onDamage: _, ...quietly } = how;
  // In this order: what has a record by now has an index that is seen below.
  const finished = await finishedSaves(snapshots, options);
  const state = await openStoreState(store, quietly);
  const indexed = await indexUnnamed(snapshots, {
    ...options,
    packs: state.unnamed,
    finished,
  });
  for (const { name, error } of indexed.damaged) {
    options.onDamage?.(name, error);
  }
  if (indexed.packCount === 0) return state;
  const again = await openStoreState(store, quietly);
  if (!indexed.isIndexLost) return again;
  // With the index it may have been forgotten that packs were lost.
  again.index.setPresentPacks(again.packs);
  return { ...again, isHealthy: false };
}
