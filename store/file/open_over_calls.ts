/** Opening and making a file store, over calls that a test may have replaced. */
import { makeFolder, syncFolder } from "./durable_file.ts";
import {
  codeOf,
  type FileCalls,
  type FileStat,
  saysAbsent,
} from "./file_calls.ts";
import { type FileStore, LocalFileStore } from "./file_store.ts";
import { makeReserve } from "./reserve.ts";
import { storeFailure } from "./store_failure.ts";
import { ROOT_NAMES, StoreFolders } from "./store_folders.ts";
import { NotAStoreError } from "../errors.ts";
import { readConfig } from "../format/store_config.ts";

/** Options of `openFileStore`. */
export interface OpenFileStoreOptions {
  /** Makes the folders of a store where they are absent. Default false. */
  readonly create?: boolean;
}

/** Opens a folder as a store; see `openFileStore`. */
export async function openOverCalls(
  calls: FileCalls,
  path: string,
  options?: OpenFileStoreOptions,
): Promise<FileStore> {
  const root = calls.resolve(path);
  const folders = new StoreFolders(calls, root);
  try {
    if (options?.create) await makeRoot(calls, root);
    const parts = {
      calls,
      folders,
      root: await statRoot(calls, root),
      writeFeatures: 0,
    };
    const config = await configOf(new LocalFileStore(parts), options);
    if (config === undefined) {
      await folders.makeFixed();
      await makeReserve(calls, folders);
    }
    return new LocalFileStore({
      ...parts,
      writeFeatures: config?.writeFeatures ?? 0,
    });
  } catch (error) {
    throw storeFailure("open", { path: root }, error);
  }
}

async function configOf(
  store: FileStore,
  options: OpenFileStoreOptions | undefined,
): Promise<{ readonly writeFeatures: number } | undefined> {
  try {
    return await readConfig(store, { location: store.path });
  } catch (error) {
    if (options?.create && error instanceof NotAStoreError) return undefined;
    throw error;
  }
}

async function statRoot(calls: FileCalls, root: string): Promise<FileStat> {
  let stat;
  try {
    stat = await calls.stat(root);
  } catch (error) {
    if (!saysAbsent(error)) throw error;
    throw new NotAStoreError(root, "there is no such folder", { cause: error });
  }
  if (!stat.isDirectory()) {
    throw new NotAStoreError(root, "it is no folder");
  }
  return stat;
}

/** Makes the folder of a store and those above it, or checks that it is free to become one. */
async function makeRoot(calls: FileCalls, root: string): Promise<void> {
  await makePath(calls, root);
  await statRoot(calls, root);
  const other = calls.folderSync(root).find(({ name }) =>
    !ROOT_NAMES.has(name)
  );
  if (other === undefined) return;
  throw new NotAStoreError(
    root,
    `a new store needs an empty folder, and ${other.name} is in it`,
  );
}

async function makePath(calls: FileCalls, path: string): Promise<void> {
  const parent = calls.resolve(`${path}/..`);
  try {
    if (!(await makeFolder(calls, path))) return;
  } catch (error) {
    if (codeOf(error) !== "ENOENT" || parent === path) throw error;
    await makePath(calls, parent);
    await makeFolder(calls, path);
  }
  await syncFolder(calls, parent);
}
