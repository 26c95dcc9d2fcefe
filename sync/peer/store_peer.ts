import type { Hasher } from "@snap/hash";
import type { PruneStore, ReadStore } from "@snap/store";
import type { Peer } from "./peer.ts";
import { openStoreSession } from "./store_session.ts";

/** Options of {@linkcode storePeer}. */
export interface StorePeerOptions {
  /** Hasher. */
  readonly hasher: Hasher;
  /** Name of the store in messages. */
  readonly location?: string;
}

/**
 * Makes a store of this process a side of a sync.
 *
 * @param store The store. One that only reads can only be a source.
 * @param options What hashes.
 * @returns The side.
 */
export function storePeer(
  store: ReadStore & Partial<PruneStore>,
  options: StorePeerOptions,
): Peer {
  const { hasher, location = "the store" } = options;
  return {
    location,
    isRemote: false,
    connect: (session) =>
      openStoreSession({ ...session, store, hasher, location }),
  };
}
