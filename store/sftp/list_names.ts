import { folderOf } from "../file/store_folders.ts";
import type { StoreEntry } from "../store.ts";
import { isStoreName } from "../store_name.ts";
import { RemoteError } from "../wrap/remote_error.ts";
import type { Folders } from "./folders.ts";
import {
  type FolderEntry,
  isFile,
  isFolder,
  type SftpSession,
} from "./sftp_session.ts";
import { hasStatus, STATUS } from "./status_error.ts";

/** Folders that are read at once. */
const FOLDERS_AT_ONCE = 32;
/** Most entries of a folder: a server that never ends a list is told from a large store. */
const ENTRIES_MAX: number = 2 ** 20;

/** Lists the files of a store whose names begin with a prefix. */
export async function* listNames(
  session: SftpSession,
  folders: Folders,
  prefix: string,
  signal?: AbortSignal,
): AsyncGenerator<StoreEntry[]> {
  const pending = [folderOf(prefix)];
  while (pending.length > 0) {
    const batch: StoreEntry[] = [];
    const wave = pending.splice(-FOLDERS_AT_ONCE);
    await Promise.all(wave.map(async (folder) => {
      const path = folders.path(folder);
      for (const entry of await listFolder(session, path, signal)) {
        const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
        if (!isStoreName(name)) continue;
        const known = await knownEntry(session, folders.path(name), entry);
        if (known === undefined) continue;
        if (isFolder(known)) {
          if (isOnTheWay(name, prefix)) pending.push(name);
        } else if (isFile(known) && name.startsWith(prefix)) {
          batch.push({ name, size: known.size! });
        }
      }
    }));
    if (batch.length > 0) yield batch;
  }
}

/** Adds a folder, those above it and all below it. */
export async function folderNames(
  session: SftpSession,
  folders: Folders,
  folder: string,
  all: Set<string>,
  signal?: AbortSignal,
): Promise<void> {
  for (let at = folder; at !== ""; at = folderOf(at)) all.add(at);
  const pending = [folder];
  while (pending.length > 0) {
    const wave = pending.splice(-FOLDERS_AT_ONCE);
    await Promise.all(wave.map(async (parent) => {
      const path = folders.path(parent);
      for (const entry of await listFolder(session, path, signal)) {
        const name = parent === "" ? entry.name : `${parent}/${entry.name}`;
        if (!isStoreName(name) || !isFolder(entry)) continue;
        all.add(name);
        pending.push(name);
      }
    }));
  }
}

function isOnTheWay(folder: string, prefix: string): boolean {
  return `${folder}/`.startsWith(prefix) || prefix.startsWith(`${folder}/`);
}

/** Asks for what the server has left out; undefined if the file is gone. */
async function knownEntry(
  session: SftpSession,
  path: string,
  entry: FolderEntry,
): Promise<FolderEntry | undefined> {
  if (entry.mode !== undefined && entry.size !== undefined) return entry;
  try {
    const { size = 0, mode } = await session.stat(path);
    return { name: entry.name, size, mode };
  } catch (error) {
    if (hasStatus(error, STATUS.noSuchFile)) return undefined;
    throw error;
  }
}

/** The entries of a folder; none if it is absent. */
export async function listFolder(
  session: SftpSession,
  path: string,
  signal?: AbortSignal,
): Promise<FolderEntry[]> {
  let handle;
  try {
    handle = await session.openFolder(path, signal);
  } catch (error) {
    if (hasStatus(error, STATUS.noSuchFile)) return [];
    throw error;
  }
  const entries: FolderEntry[] = [];
  // One is asked for ahead: most folders end with their first answer.
  const ask = () => {
    const asked = session.readFolder(handle, signal);
    asked.catch(() => {}); // Heard when its turn comes, if it does.
    return asked;
  };
  try {
    for (let next = ask();;) {
      const current = next;
      next = ask();
      const more = await current;
      if (more.length === 0) return entries;
      for (const entry of more) entries.push(entry);
      if (entries.length > ENTRIES_MAX) throw endlessError(path);
    }
  } finally {
    session.drop(handle);
  }
}

function endlessError(path: string): RemoteError {
  return new RemoteError(
    `Cannot list ${path}: the server has sent more than ${ENTRIES_MAX} entries (PROTOCOL)`,
    { code: "PROTOCOL", action: "list" },
  );
}
