import {
  HeapFrameCache,
  openIndex,
  openRanges,
  openStoreReader,
} from "@snap/pack/read";
import { nativeDecoders } from "@snap/posix/decoders";
import { AHEAD_SIZE, FAR_BATCHES_MAX } from "../move/mover.ts";
import { StoreSource, type StoreSourceOptions } from "./store_source.ts";

const INDEX_CACHE_SIZE = 4 << 20;
const FRAME_CACHE_SIZE = 8 << 20;
/** Bytes of a store far away that are read by one request: each costs time, and money. */
const FAR_READ_SIZE = 8 << 20;
/** Room for all that is asked for ahead of those who move it. */
const FAR_SIZE = FAR_BATCHES_MAX * AHEAD_SIZE;

/**
 * Opens a store to take objects from it.
 *
 * @param options The store.
 * @returns The source.
 */
export async function openStoreSource(
  options: StoreSourceOptions,
): Promise<StoreSource> {
  const { store, hasher, signal } = options;
  const how = signal === undefined ? {} : { signal };
  const ranges = await openRanges(store, {
    aheadSize: 1 << 20,
    far: { sizeMax: FAR_SIZE, joinedMax: FAR_READ_SIZE },
  });
  try {
    const cacheSize = INDEX_CACHE_SIZE;
    const index = await openIndex(store, { ...how, hasher, cacheSize, ranges });
    const reader = await openStoreReader(store, {
      hasher,
      index,
      ranges,
      cache: new HeapFrameCache({ sizeMax: FRAME_CACHE_SIZE }),
      decoders: nativeDecoders,
    });
    return new StoreSource(options, reader, ranges);
  } catch (error) {
    await ranges[Symbol.asyncDispose]();
    throw error;
  }
}
