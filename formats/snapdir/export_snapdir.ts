import { type Hasher, type HashStream, type Id, idToBytes } from "@snap/hash";
import type { StoreReader } from "@snap/pack/read";
import { Pacer } from "@snap/posix/pacer";
import type { SideIds } from "@snap/snapshot/query";
import { formatLine } from "./manifest_line.ts";
import { ManifestPieces } from "./manifest_pieces.ts";
import {
  type LeftOut,
  type ManifestOptions,
  ManifestWalk,
  type WalkedLine,
} from "./manifest_walk.ts";
import {
  type FileContent,
  fileName,
  MANIFEST_SIZE_MAX,
  MANIFESTS,
  OBJECTS,
  type SnapdirFiles,
} from "./snapdir_files.ts";
import { ExportError } from "../errors.ts";

/** Objects that are written at once. */
const WRITES_MAX = 8;
/** Content up to this size is read at once. */
const WHOLE_SIZE_MAX = 1 << 20;

/** Options of {@linkcode exportSnapdir}. */
export interface ExportSnapdirOptions extends ManifestOptions {
  /** Called after each object, with the bytes of all so far. */
  readonly onProgress?: (progress: ExportedSoFar) => void;
}

/** How far an export is. */
export interface ExportedSoFar {
  /** Objects that were there or were written. */
  readonly objectCount: number;
  /** Bytes that were written. */
  readonly byteCount: number;
}

/** Result of {@linkcode exportSnapdir}. */
export interface ExportedSnapdir {
  /** The id that snapdir has for it. */
  readonly id: Id;
  /** Objects that were written, as the store had none of them. */
  readonly newObjectCount: number;
  /** Their bytes. */
  readonly newByteCount: number;
  /** What snapdir cannot hold. */
  readonly leftOut: LeftOut;
}

/**
 * Writes a snapshot into a store of snapdir: objects that are not there, then the
 * manifest, so that a manifest that is there has all its objects. Every byte was checked.
 *
 * @param reader Reads the snapshot.
 * @param ids The ids of the directory.
 * @param files The store of snapdir.
 * @returns The id, and what was written.
 * @throws {ExportError} If a name cannot stand in a manifest; then nothing was written.
 * @throws {DamageError} If something is damaged in every copy; then there is no manifest.
 */
export async function exportSnapdir(
  reader: StoreReader,
  ids: Required<SideIds>,
  files: SnapdirFiles,
  options: ExportSnapdirOptions,
): Promise<ExportedSnapdir> {
  const { signal, hasher } = options;
  const walk = new ManifestWalk(reader, ids, options);
  const manifest = new ManifestText(hasher);
  const objects = new ObjectExport(reader, files, options);
  try {
    for await (const line of walk.lines()) {
      manifest.add(line);
      if (!line.isDirectory) await objects.add(line);
    }
  } finally {
    await objects.settled();
  }
  const id = manifest.finish();
  const name = fileName(MANIFESTS, id);
  await files.sync(objects.written(), { signal });
  if (await files.size(name, { signal }) !== manifest.size) {
    await files.write(name, manifest, { signal });
    await files.sync([name], { signal });
  }
  const { newObjectCount, newByteCount } = objects;
  return { id, newObjectCount, newByteCount, leftOut: walk.leftOut };
}

/** The text of a manifest in memory, until all its objects are there. */
class ManifestText implements FileContent {
  size = 0;
  readonly #id: HashStream;
  readonly #lines = new ManifestPieces();
  readonly #pieces: Uint8Array[] = [];

  constructor(hasher: Hasher) {
    this.#id = hasher.stream();
  }

  add(line: WalkedLine): void {
    const bytes = formatLine(line);
    this.size += bytes.length;
    if (this.size > MANIFEST_SIZE_MAX) {
      throw new ExportError(
        `Cannot make a snapdir manifest: it has more than ${MANIFEST_SIZE_MAX} bytes`,
      );
    }
    this.#take(this.#lines.add(bytes));
  }

  finish(): Id {
    this.#take(this.#lines.take());
    return this.#id.digest();
  }

  async *pieces(): AsyncGenerator<Uint8Array, void> {
    yield* this.#pieces;
  }

  #take(piece: Uint8Array | undefined): void {
    if (piece === undefined) return;
    this.#id.update(piece);
    this.#pieces.push(piece);
  }
}

/** Writes the objects of a manifest, each once, some at a time. */
class ObjectExport {
  newObjectCount = 0;
  newByteCount = 0;
  readonly #reader: StoreReader;
  readonly #files: SnapdirFiles;
  readonly #options: ExportSnapdirOptions;
  readonly #pacer: Pacer;
  /** Checksums so far, and whether each was written here. */
  readonly #seen = new Map<Id, boolean>();
  readonly #writing = new Set<Promise<void>>();
  readonly #failures: unknown[] = [];

  constructor(
    reader: StoreReader,
    files: SnapdirFiles,
    options: ExportSnapdirOptions,
  ) {
    this.#reader = reader;
    this.#files = files;
    this.#options = options;
    this.#pacer = new Pacer(options);
  }

  /** Names of the files that were written. */
  *written(): Generator<string, void> {
    for (const [checksum, isWritten] of this.#seen) {
      if (isWritten) yield fileName(OBJECTS, checksum);
    }
  }

  /** Takes an object; waits where many are being written. */
  async add({ checksum, contentSize }: WalkedLine): Promise<void> {
    if (this.#failures.length > 0) throw this.#failures[0];
    if (this.#seen.has(checksum)) return;
    this.#seen.set(checksum, false);
    const writing: Promise<void> = this.#write(checksum, contentSize)
      .catch((error) => void this.#failures.push(error))
      .finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
    if (this.#writing.size >= WRITES_MAX) await Promise.race(this.#writing);
  }

  /** Waits for what is being written, and throws the first failure. */
  async settled(): Promise<void> {
    await Promise.all(this.#writing);
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  async #write(checksum: Id, size: number): Promise<void> {
    const { signal, onProgress } = this.#options;
    signal?.throwIfAborted();
    const name = fileName(OBJECTS, checksum);
    if (await this.#files.size(name, { signal }) !== size) {
      const content = { size, pieces: () => this.#pieces(checksum, size) };
      await this.#files.write(name, content, { signal });
      this.#seen.set(checksum, true);
      this.newObjectCount++;
      this.newByteCount += size;
    }
    onProgress?.({
      objectCount: this.#seen.size,
      byteCount: this.newByteCount,
    });
  }

  async *#pieces(
    checksum: Id,
    size: number,
  ): AsyncGenerator<Uint8Array, void> {
    const { signal } = this.#options;
    const content = await this.#reader.openContent(
      idToBytes(checksum),
      size,
      { signal },
    );
    const pace = (byteCount: number) => this.#pacer.yield(byteCount);
    const how = { signal, pace };
    if (size <= WHOLE_SIZE_MAX) yield await content.read(0, size, how);
    else yield* content.stream(how);
  }
}
