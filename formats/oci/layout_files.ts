import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { PassedPieces } from "../archive_bytes.ts";
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

/** An archive of which any range can be read. */
export interface ArchiveRanges extends AsyncDisposable {
  /**
   * Reads a range, or what there is of it.
   *
   * @returns Its bytes, in pieces of any size.
   */
  read(offset: number, length: number): AsyncIterable<Uint8Array>;
}

/**
 * Opens an image layout in a tar archive. It is looked through for where its files
 * are; large ones are passed and not read.
 *
 * @param archive The path of a file, or what reads ranges of it; not compressed.
 * @throws {ArchiveSyntaxError} If it is no archive.
 */
export async function openLayoutArchive(
  archive: string | ArchiveRanges,
): Promise<LayoutFiles> {
  const ranges = typeof archive === "string"
    ? await openRanges(archive)
    : archive;
  try {
    const files = await findFiles(ranges);
    return {
      read(name) {
        const found = files.get(name);
        if (found === undefined) throw noFile(name);
        return ranges.read(found.offset, found.size);
      },
      [Symbol.asyncDispose]: () => ranges[Symbol.asyncDispose](),
    };
  } catch (error) {
    await ranges[Symbol.asyncDispose]();
    throw error;
  }
}

async function openRanges(path: string): Promise<ArchiveRanges> {
  const handle = await openFile(path, path);
  return {
    read: (offset, length) => rangeOf(handle, offset, length),
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

async function findFiles(
  ranges: ArchiveRanges,
): Promise<Map<string, { offset: number; size: number }>> {
  const files = new Map<string, { offset: number; size: number }>();
  const pieces = new RangePieces(ranges);
  const reader = new TarReader({ [Symbol.asyncIterator]: () => pieces });
  try {
    for (;;) {
      const entry = await reader.next();
      if (entry === undefined) return files;
      if (entry.type !== "0" || entry.sparse !== undefined) continue;
      const name = new TextDecoder().decode(entry.path).replace(/^(\.\/)+/, "");
      files.set(name, { offset: entry.dataOffset, size: entry.size });
    }
  } finally {
    await pieces.return();
  }
}

/** The pieces of an archive, from another place where some are passed. */
class RangePieces implements PassedPieces {
  readonly #ranges: ArchiveRanges;
  #pieces: AsyncIterator<Uint8Array> | undefined;
  #offset = 0;
  #passed = 0;

  constructor(ranges: ArchiveRanges) {
    this.#ranges = ranges;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#passed > 0) {
      await this.return();
      this.#offset += this.#passed;
      this.#passed = 0;
    }
    this.#pieces ??= this.#ranges.read(this.#offset, Infinity)
      [Symbol.asyncIterator]();
    const result = await this.#pieces.next();
    if (!result.done) this.#offset += result.value.length;
    return result;
  }

  pass(size: number): void {
    this.#passed += size;
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    await this.#pieces?.return?.();
    this.#pieces = undefined;
    return { done: true, value: undefined };
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

/** The error of a layout that lacks a file. */
export function noFile(name: string): ImportError {
  return new ImportError(
    `Cannot import image as it has no ${name}`,
    "an image layout has the files oci-layout and index.json, and a folder blobs",
  );
}
