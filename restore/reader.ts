import {
  HeapFrameCache,
  openRanges,
  openStoreReader,
  StoreIndex,
  type StoreReader,
} from "@snap/pack/read";
import { ObjectIndex } from "@snap/pack/index";
import { nativeDecoders } from "@snap/posix/decoders";
import type { ReadStore } from "@snap/store";
import type { Snapshots } from "@snap/snapshot";

/** Memory for pages of the index: a restore asks for ids in no order. */
const INDEX_CACHE_SIZE = 16 * 1024 * 1024;
/** Memory for frames of trees and pages. */
const FRAME_CACHE_SIZE = 8 * 1024 * 1024;

export interface RestoreReader extends AsyncDisposable {
  readonly reader: StoreReader;
}

/**
 * Opens a reader that waits for no page of the index, where the store is local.
 *
 * @returns The reader, to be closed by the caller.
 */
export async function openRestoreReader(
  snapshots: Snapshots<ReadStore>,
): Promise<RestoreReader> {
  const { store, hasher } = snapshots;
  const shared = await snapshots.index();
  const index = new ObjectIndex({ cacheSize: INDEX_CACHE_SIZE });
  index.addTables(shared.storedTables);
  const ranges = await openRanges(store);
  const reader = await openStoreReader(store, {
    hasher,
    index: new StoreIndex(index, store, { shared, ranges }),
    ranges,
    cache: new HeapFrameCache({ sizeMax: FRAME_CACHE_SIZE }),
    decoders: nativeDecoders,
  });
  return { reader, [Symbol.asyncDispose]: () => ranges[Symbol.asyncDispose]() };
}
