import { nativeHasher } from "@snap/hash/native";
import { save, type SaveOptions } from "@snap/save";
import {
  DEFAULT_SETTINGS,
  formatSettings,
  initStore,
} from "@snap/store/format";
import { openSnapshots, type Snapshots } from "@snap/snapshot";
import { type FileStore, openFileStore } from "@snap/store/file";
import { removeTree } from "./_folder.ts";
import { makeManyFiles } from "./_mount_tree.ts";

/** What a store holds. */
export interface LargeStoreOptions {
  /** Where it is made. */
  readonly store: string;
  /** A folder for what is saved; it is gone afterwards. */
  readonly scratch: string;
  /** Files of the largest snapshot, each of them an object. */
  readonly fileCount: number;
  /** Snapshots. */
  readonly snapshotCount: number;
  /** Adds to the largest snapshot before it is saved. */
  readonly addFiles?: (root: string) => void;
}

/** Snapshots of a store, by id. */
export interface LargeStore {
  /** The one with all the files. */
  readonly large: string;
  /** The newest of the small ones. */
  readonly small: string;
}

/** Opens a new store. */
async function openNew(path: string): Promise<Snapshots<FileStore>> {
  const store = await openFileStore(path, { create: true });
  await initStore(store, formatSettings(DEFAULT_SETTINGS));
  return await openSnapshots(store, { hasher: nativeHasher() });
}

async function saveAll(
  snapshots: Snapshots<FileStore>,
  path: string,
  options: SaveOptions = {},
): Promise<string> {
  const { id, errors } = await save(snapshots, path, options);
  if (errors.length > 0) throw errors[0];
  return id;
}

/**
 * Makes a store of one large snapshot and many small ones.
 *
 * @param options What is in it.
 * @returns What can be mounted.
 */
export async function makeLargeStore(
  options: LargeStoreOptions,
): Promise<LargeStore> {
  const { store, scratch, fileCount, snapshotCount } = options;
  await using snapshots = await openNew(store);
  makeManyFiles(scratch, { fileCount, hasXattrs: false });
  options.addFiles?.(scratch);
  const large = await saveAll(snapshots, scratch, { workers: 2 });
  await removeTree(scratch);
  await Deno.mkdir(scratch);
  let small = large;
  for (let i = 1; i < snapshotCount; i++) {
    await Deno.writeTextFile(`${scratch}/number`, `${i}\n`);
    small = await saveAll(snapshots, scratch);
  }
  await removeTree(scratch);
  return { large, small };
}
