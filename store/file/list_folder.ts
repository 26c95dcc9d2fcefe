import { type FileCalls, type FileStat, saysAbsent } from "./file_calls.ts";
import { folderOf, type StoreFolders } from "./store_folders.ts";
import type { StoreEntry } from "../store.ts";
import { isStoreName } from "../store_name.ts";

const BATCH_SIZE = 512;

/**
 * Lists the files of a store whose names begin with a prefix. Folders are read
 * in one go each, and between two batches the event loop turns.
 */
export async function* listFolder(
  calls: FileCalls,
  folders: StoreFolders,
  prefix: string,
  signal?: AbortSignal,
): AsyncGenerator<StoreEntry[]> {
  const pending = [folderOf(prefix)];
  let batch: StoreEntry[] = [];
  for (
    let folder = pending.pop();
    folder !== undefined;
    folder = pending.pop()
  ) {
    signal?.throwIfAborted();
    for (const name of namesIn(calls, folders, folder, pending)) {
      if (!name.startsWith(prefix)) continue;
      const stat = statOf(calls, folders.path(name));
      if (stat?.isFile()) batch.push({ name, size: stat.size });
    }
    if (prefix !== "") skipOthers(pending, prefix);
    if (batch.length < BATCH_SIZE) continue;
    yield batch;
    batch = [];
    await calls.turn();
  }
  if (batch.length > 0) yield batch;
}

/** Names in a folder that may be files of the store; its folders go to `pending`. */
function namesIn(
  calls: FileCalls,
  folders: StoreFolders,
  folder: string,
  pending: string[],
): string[] {
  const names: string[] = [];
  try {
    for (const entry of calls.folderSync(folders.path(folder))) {
      const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (!isStoreName(name)) continue;
      if (entry.isDirectory()) pending.push(name);
      else names.push(name);
    }
  } catch (error) {
    // A folder that is gone holds nothing; that its store is there, the caller checks.
    if (!saysAbsent(error)) throw error;
  }
  return names;
}

function skipOthers(pending: string[], prefix: string): void {
  for (let i = pending.length - 1; i >= 0; i--) {
    if (!`${pending[i]}/`.startsWith(prefix)) pending.splice(i, 1);
  }
}

function statOf(calls: FileCalls, path: string): FileStat | undefined {
  try {
    return calls.statSync(path);
  } catch (error) {
    if (saysAbsent(error)) return undefined; // Removed since the folder was read.
    throw error;
  }
}
