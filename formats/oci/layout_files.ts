import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { ImportError } from "../errors.ts";
import { TarReader } from "../tar/tar_reader.ts";
import type { LayoutFiles } from "./layout.ts";

/** Bytes that are read at once. */
const READ_SIZE = 1 << 20;

/**
 * Opens an image layout in a folder.
 *
 * @param path The folder.
 */
export function openLayoutFolder(path: string): LayoutFiles {
  return {
    async *read(name) {
      const handle = await openFile(join(path, name), name);
      try {
        yield* rangeOf(handle, 0, Infinity);
      } finally {
        await handle.close();
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/**
 * Opens an image layout in a tar archive, which is read once for where its files are.
 *
 * @param path The archive, a file, not compressed.
 * @throws {ArchiveSyntaxError} If it is no archive.
 */
export async function openLayoutArchive(path: string): Promise<LayoutFiles> {
  const handle = await openFile(path, path);
  try {
    const files = await findFiles(handle);
    return {
      read(name) {
        const found = files.get(name);
        if (found === undefined) throw noFile(name);
        return rangeOf(handle, found.offset, found.size);
      },
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function findFiles(
  handle: FileHandle,
): Promise<Map<string, { offset: number; size: number }>> {
  const files = new Map<string, { offset: number; size: number }>();
  const reader = new TarReader(rangeOf(handle, 0, Infinity));
  for (;;) {
    const entry = await reader.next();
    if (entry === undefined) return files;
    if (entry.type !== "0" || entry.sparse !== undefined) continue;
    const name = new TextDecoder().decode(entry.path).replace(/^(\.\/)+/, "");
    files.set(name, { offset: entry.dataOffset, size: entry.size });
  }
}

async function* rangeOf(
  handle: FileHandle,
  offset: number,
  size: number,
): AsyncGenerator<Uint8Array, void, void> {
  for (let left = size; left > 0;) {
    const bytes = new Uint8Array(Math.min(READ_SIZE, left));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, offset);
    if (bytesRead === 0) return;
    yield bytes.subarray(0, bytesRead);
    offset += bytesRead;
    left -= bytesRead;
  }
}

async function openFile(path: string, name: string): Promise<FileHandle> {
  try {
    return await open(path);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
    throw noFile(name);
  }
}

function noFile(name: string): ImportError {
  return new ImportError(
    `Cannot import image as it has no ${name}`,
    "an image layout has the files oci-layout and index.json, and a folder blobs",
  );
}
