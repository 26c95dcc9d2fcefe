import type { DiskCalls } from "./disk_calls.ts";
import type { FileIdentity } from "./file_identity.ts";
import { identifyPath } from "./source/source.ts";

/** Place of a store on this machine. */
export interface StorePlace {
  /** The path of its folder. */
  readonly path: string;
  /** Identity of its folder, whatever path leads to it. */
  readonly identity: FileIdentity;
}

/** Finds the folder of a store, or nothing where it has none here. */
export function storePlace(
  store: { localPath?(name: string): string | undefined },
): StorePlace | undefined {
  const path = store.localPath?.("config/1")?.replace(/\/config\/1$/, "");
  const identity = path === undefined ? undefined : identifyPath(path);
  return identity && { path: path!, identity };
}

/** Whether two identities are of one file; an absent one is of none. */
export function isSame(
  identity: FileIdentity,
  other: FileIdentity | undefined,
): boolean {
  return other !== undefined && identity.inodeLow === other.inodeLow &&
    identity.inodeHigh === other.inodeHigh && identity.major === other.major &&
    identity.minor === other.minor;
}

/** Whether a directory is the folder of a store, or its path says that it lies below. */
export function liesInStore(
  path: Uint8Array,
  place: StorePlace,
  calls: DiskCalls,
): boolean {
  return new TextDecoder().decode(path).startsWith(`${place.path}/`) ||
    isSame(place.identity, identifyPath(path, calls));
}
