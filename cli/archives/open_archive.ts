import type { FileHandle } from "node:fs/promises";
import { errnoMessage, errnos } from "@snap/posix/constants";
import { resolvePath } from "../arguments/resolve_path.ts";
import { UsageError } from "../arguments/usage_error.ts";
import { CommandError } from "../command_error.ts";
import type { Session } from "../session.ts";
import type { Target } from "../snapshots/open_target.ts";
import type { ArchiveSource, ArchiveTarget } from "./archive_streams.ts";
import { createObject, isAddress, readObject } from "./open_bucket.ts";

/** Bytes that are read at once. */
const READ_SIZE = 1 << 20;

/**
 * Opens an archive to be written.
 *
 * @param target A path, an address in a bucket, or `-` for stdout.
 * @param sizeHint About how many bytes will come.
 * @throws {CommandError} If the file is there, and is not to be replaced.
 */
export async function createArchive(
  session: Session,
  target: string,
  sizeHint: number,
): Promise<ArchiveTarget> {
  if (isAddress(target)) return await createObject(session, target, sizeHint);
  if (target !== "-") return await createFile(session, target);
  if (session.isJson) {
    throw new UsageError(
      "Cannot write an archive and JSON: - is stdout",
      "./- is a file of this name",
    );
  }
  if (session.context.stdout.isTerminal) {
    throw new UsageError("Cannot write an archive: stdout is a terminal");
  }
  return {
    write: (bytes) => session.raw(bytes),
    finish: () => session.flush(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function createFile(
  session: Session,
  target: string,
): Promise<ArchiveTarget> {
  const { lstat, open, rename, rm } = await import("node:fs/promises");
  const { randomBytes } = await import("node:crypto");
  const { basename, dirname, join } = await import("node:path");
  const path = await resolvePath(session, target);
  const failed = (cause: unknown): unknown =>
    archiveError("write", path, cause);
  const stats = await lstat(path).catch(() => undefined);
  if (await isPipe(path)) return await openPipe(session, path);
  if (stats?.isDirectory() || (stats && !session.args.has("existing"))) {
    throw new CommandError(
      `Cannot write ${path}: it is there`,
      stats.isDirectory() ? undefined : "--existing replaces it",
    );
  }
  const name = `.${basename(path).slice(0, 200)}.${
    randomBytes(6).toString("hex")
  }`;
  const temporary = join(dirname(path), name);
  const handle = await open(temporary, "wx").catch((cause) => {
    throw failed(cause);
  });
  let isOpen = true, isNamed = false;
  return {
    write: (bytes) =>
      writeAll(handle, bytes, session.signal).catch((cause) => {
        throw failed(cause);
      }),
    async finish() {
      try {
        await handle.sync();
        await handle.close();
        isOpen = false;
        await rename(temporary, path);
        isNamed = true;
      } catch (cause) {
        throw failed(cause);
      }
    },
    async [Symbol.asyncDispose]() {
      if (isOpen) await handle.close();
      if (!isNamed) await rm(temporary, { force: true });
    },
  };
}

/** Whether a pipe or device is there, which is written into as it is. */
async function isPipe(path: string): Promise<boolean> {
  const { stat } = await import("node:fs/promises");
  const stats = await stat(path).catch(() => undefined);
  return stats !== undefined && !stats.isFile() && !stats.isDirectory();
}

async function openPipe(
  { signal }: Session,
  path: string,
): Promise<ArchiveTarget> {
  const { open } = await import("node:fs/promises");
  const { orAborted } = await import("@snap/store/wrap");
  const failed = (cause: unknown): unknown =>
    archiveError("write", path, cause);
  // Nobody may ever read from it.
  const handle = await orAborted(open(path, "w"), signal).catch((cause) => {
    throw failed(cause);
  });
  return {
    write: (bytes) =>
      writeAll(handle, bytes, signal).catch((cause) => {
        throw failed(cause);
      }),
    finish: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

async function writeAll(
  handle: FileHandle,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const { orAborted } = await import("@snap/store/wrap");
  for (let at = 0; at < bytes.length;) {
    at += (await orAborted(handle.write(bytes, at), signal)).bytesWritten;
  }
}

/** Bytes of headers for each entry, more than most have. */
const ENTRY_SIZE = 2048;

/** About how many bytes the archive of a snapshot has, or of a part of it: rather more. */
export function sizeHint({ record }: Pick<Target, "record">): number {
  const { byteCount, entryCount } = record.totals;
  return byteCount + entryCount * ENTRY_SIZE;
}

/**
 * Opens an archive to be read.
 *
 * @param source A path, an address in a bucket, or `-` for stdin.
 */
export async function openArchive(
  session: Session,
  source: string,
): Promise<ArchiveSource> {
  if (source === "-") {
    const { default: process } = await import("node:process");
    return { path: "/dev/stdin", pieces: stdinBytes(process.stdin, session) };
  }
  if (isAddress(source)) return await readObject(session, source);
  const path = await resolvePath(session, source);
  return { path, pieces: fileBytes(path, session) };
}

async function* fileBytes(
  path: string,
  { signal }: Session,
): AsyncGenerator<Uint8Array, void, void> {
  const { open } = await import("node:fs/promises");
  const { orAborted } = await import("@snap/store/wrap");
  const failed = (cause: unknown): unknown => archiveError("read", path, cause);
  // A pipe may never say anything.
  const handle = await orAborted(open(path), signal).catch((cause) => {
    throw failed(cause);
  });
  try {
    for (;;) {
      const bytes = new Uint8Array(READ_SIZE);
      const reading = handle.read(bytes, 0, READ_SIZE);
      const { bytesRead } = await orAborted(reading, signal).catch((cause) => {
        throw failed(cause);
      });
      if (bytesRead === 0) return;
      yield bytes.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

async function* stdinBytes(
  stdin: AsyncIterable<Uint8Array> & { destroy(): unknown },
  { signal }: Session,
): AsyncGenerator<Uint8Array, void, void> {
  const { orAborted } = await import("@snap/store/wrap");
  const pieces = stdin[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await orAborted(pieces.next(), signal);
      if (done) return;
      yield value;
    }
  } finally {
    stdin.destroy();
  }
}

/** An error of a file in plain words; what ends the program, and missing permissions, as they are. */
function archiveError(verb: string, path: string, cause: unknown): unknown {
  const { code, name } = cause as { code?: unknown; name?: unknown };
  if (typeof code !== "string" || name === "NotCapable") return cause;
  if (name === "InterruptError" || !code.startsWith("E")) return cause;
  return new CommandError(
    `Cannot ${verb} ${path}: ${
      errnoMessage(errnos[code as keyof typeof errnos])
    }`,
  );
}
