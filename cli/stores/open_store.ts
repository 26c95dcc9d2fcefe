import type { FileStore } from "@snap/store/file";
import { loadLate } from "../load_late.ts";
import type { Session } from "../session.ts";
import type { FarCache, OpenedStore, StorePlace } from "./opened_store.ts";

/** The module that puts a cache around a store. */
interface CacheModule {
  withCache(
    session: Session,
    opened: OpenedStore,
    cache: FarCache,
  ): Promise<OpenedStore>;
}

/** How a store is opened. */
export interface OpenStoreOptions {
  /** Whether a folder that is absent or empty becomes one, also on another host. */
  readonly create?: boolean;
}

/**
 * Opens a store wherever it is. Whether there is one far away, whoever reads its
 * config finds out.
 *
 * @throws {NotAStoreError} If a folder is none.
 */
export async function openStore(
  session: Session,
  place: StorePlace,
  options: OpenStoreOptions = {},
): Promise<OpenedStore> {
  if (place.kind === "far") {
    const { openFar } = await loadLate(
      "stores/open_far",
    ) as typeof import("./open_far.ts");
    return await openFar(session, place, options);
  }
  const { openFileStore } = await import("@snap/store/file");
  return openedFolder(await openFileStore(place.path, options), place.path);
}

/** Makes a store of this machine one that a command works with. */
export function openedFolder(
  store: FileStore | OpenedStore["store"],
  location: string,
): OpenedStore {
  const end = () => Promise.resolve();
  return { store, location, [Symbol.asyncDispose]: end };
}

/** Puts a cache around a store far away, unless the user wants none. */
export async function openCached(
  session: Session,
  opened: OpenedStore,
  cache: FarCache,
): Promise<OpenedStore> {
  if (cache.isOff) return opened;
  const { withCache } = await loadLate("stores/with_cache") as CacheModule;
  return await withCache(session, opened, cache);
}
