import {
  HeapFrameCache,
  LocalStoreIndex,
  openStoreReader,
  type StoreReader,
} from "@snap/pack/read";
import { ObjectIndex } from "@snap/pack/index";
import { nativeDecoders } from "@snap/posix/decoders";
import type { ReadStore } from "@snap/store";
import { FileRanges } from "@snap/pack/ranges";
import type { Snapshots } from "@snap/snapshot";

/** Memory for pages of the index: a restore asks for ids in no order. */
const INDEX_CACHE_SIZE = 16 * 1024 * 1024;
/** Memory for frames of trees and pages. */
const FRAME_CACHE_SIZE = 8 * 1024 * 1024;

/** A reader for one restore. */
export interface RestoreReader extends Disposable {
  readonly reader: StoreReader;
}

/**
 * Opens a reader that waits for no page of the index, where the store is local.
 *
 * @param snapshots The store.
 * @returns The reader; that of the store itself where it is not local.
 */
export async function openRestoreReader(
  snapshots: Snapshots<ReadStore>,
): Promise<RestoreReader> {
  const { store, hasher } = snapshots;
  const shared = await snapshots.index();
  if (store.localPath === undefined) {
    return { reader: await snapshots.reader(), [Symbol.dispose]: () => {} };
  }
  const { storedTables } = shared;
  const paths = storedTables.map(({ name }) => ({
    name,
    path: store.localPath!(name),
  }));
  const index = new ObjectIndex({ cacheSize: INDEX_CACHE_SIZE });
  index.addTables(storedTables);
  const files = new FileRanges(paths);
  const reader = await openStoreReader(store, {
    hasher,
    index: new LocalStoreIndex(index, store, files, shared),
    cache: new HeapFrameCache({ sizeMax: FRAME_CACHE_SIZE }),
    decoders: nativeDecoders,
  });
  return {
    reader,
    [Symbol.dispose]() {
      files[Symbol.dispose]();
      void reader[Symbol.asyncDispose]();
    },
  };
}
