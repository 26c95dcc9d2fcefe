/** Files that are whole and durable, or not there: the steps of which the file store is made. */
import {
  codeOf,
  FILE_MODE,
  type FileCalls,
  FOLDER_MODE,
  type OpenFile,
} from "./file_calls.ts";

/** Most bytes for one call of the system; between two calls a signal is heard. */
const BLOCK_SIZE = 16 * 1024 * 1024;
const COPY_SIZE = 1024 * 1024;
const MODE_BITS = 0o7777;
/** Errors that say that hard links do not exist here, or not this one. */
const NO_LINK = new Set([
  "EPERM",
  "ENOTSUP",
  "EOPNOTSUPP",
  "ENOSYS",
  "EMLINK",
  "EXDEV",
]);
/** Errors that say that a folder cannot be synced here at all. */
const NO_FOLDER_SYNC = new Set(["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/** Source of bytes: a part of them for each call, empty at the end. */
type Next = (position: number) => Promise<Uint8Array> | Uint8Array;

/** Writes a new file and syncs it. A file that failed is removed. */
export async function writeNew(
  calls: FileCalls,
  path: string,
  bytes: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  const next = (at: number) => bytes.subarray(at, at + BLOCK_SIZE);
  await fillNew(calls, path, next, signal);
}

/** Copies a file to a new one and syncs that. A copy that failed is removed. */
export async function copyNew(
  calls: FileCalls,
  from: string,
  to: string,
  signal?: AbortSignal,
): Promise<void> {
  const source = await calls.openToRead(from);
  try {
    const block = new Uint8Array(COPY_SIZE);
    await fillNew(calls, to, async (at) => {
      const { bytesRead } = await source.read(block, 0, COPY_SIZE, at);
      return block.subarray(0, bytesRead);
    }, signal);
  } finally {
    await source.close();
  }
}

async function fillNew(
  calls: FileCalls,
  path: string,
  next: Next,
  signal?: AbortSignal,
): Promise<void> {
  const file = await calls.openNew(path);
  try {
    try {
      let at = 0;
      for (let part = await next(0); part.length > 0; part = await next(at)) {
        signal?.throwIfAborted();
        await writeAll(file, part, at);
        at += part.length;
      }
      await setMode(file);
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch (error) {
    // After one failed sync the next succeeds, though the pages are lost: never try again.
    await removeQuietly(calls, path);
    throw error;
  }
}

/**
 * Writes all bytes, as often as the system takes a part of them.
 *
 * @throws {Error} `ENOSPC` if the system takes none, which it would do for ever.
 */
export async function writeAll(
  file: Pick<OpenFile, "write">,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await file.write(
      bytes,
      at,
      bytes.length - at,
      position + at,
    );
    if (bytesWritten === 0) {
      const error = new Error("Cannot write: the system takes no bytes");
      throw Object.assign(error, { code: "ENOSPC" });
    }
    at += bytesWritten;
  }
}

/** Gives a file of the store its mode, whatever the umask was. */
async function setMode(file: OpenFile): Promise<void> {
  const { mode } = await file.stat();
  if ((mode & MODE_BITS) !== FILE_MODE) await file.chmod(FILE_MODE);
}

/** Gives a finished file its mode and syncs it. Says on which device it is. */
export async function settle(calls: FileCalls, path: string): Promise<number> {
  const file = await calls.openToAdopt(path);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) {
      throw Object.assign(
        new Error(`Cannot adopt ${path}: it is no file`),
        { code: "EINVAL" },
      );
    }
    await setMode(file);
    await file.sync();
    return stat.dev;
  } finally {
    await file.close();
  }
}

/**
 * Gives a finished file a second name that must be free. Without hard links the
 * file is copied, and a reader may see a part of it meanwhile.
 *
 * @returns True if it has that name now, false if the name was taken.
 */
export async function linkNew(
  calls: FileCalls,
  from: string,
  to: string,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    try {
      await calls.link(from, to);
    } catch (error) {
      if (!NO_LINK.has(codeOf(error) ?? "")) throw error;
      await copyNew(calls, from, to, signal);
    }
    return true;
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    // A network file system may have lost its first answer: then both names are ours.
    const [mine, theirs] = await Promise.all([
      calls.stat(from),
      calls.stat(to),
    ]);
    if (theirs.isFile()) {
      return mine.ino === theirs.ino && mine.dev === theirs.dev;
    }
    throw Object.assign(
      new Error(`Cannot create ${to}: what stands there is no file`),
      { code: "EISDIR" },
    );
  }
}

/** Makes a folder if it is absent. Says whether this call made it. */
export async function makeFolder(
  calls: FileCalls,
  path: string,
): Promise<boolean> {
  try {
    await calls.mkdir(path);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
  await calls.chmod(path, FOLDER_MODE);
  return true;
}

/** Makes what a folder says durable. A platform that cannot do that is no failure. */
export async function syncFolder(
  calls: FileCalls,
  path: string,
): Promise<void> {
  if (calls.foldersOpaque) return;
  const folder = await calls.openToRead(path);
  try {
    await folder.sync();
  } catch (error) {
    if (!NO_FOLDER_SYNC.has(codeOf(error) ?? "")) throw error;
  } finally {
    await folder.close();
  }
}

/** Removes a file that nobody needs, where that works. */
export async function removeQuietly(
  calls: FileCalls,
  path: string,
): Promise<void> {
  await calls.unlink(path).catch(() => {});
}
