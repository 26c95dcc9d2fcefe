import { hexOf, type Id, idToBytes, isId } from "@snap/hash";
import { EntryKind } from "@snap/manifest/extras";
import { displayPath } from "@snap/manifest/path";
import type { Snapshots } from "@snap/snapshot";
import { IdSet } from "@snap/snapshot/reach";
import { ObjectNotFoundError } from "@snap/pack";
import type { StoreReader } from "@snap/pack/read";
import type { StoreOptions, WriteStore } from "@snap/store";
import {
  type ImportOptions,
  type ImportResult,
  type ImportRun,
  importSnapshot,
} from "../import_snapshot.ts";
import { checkManifest } from "./check_manifest.ts";
import { ImportError } from "../errors.ts";
import { type ReadLine, readLines } from "./manifest_line.ts";
import {
  fileName,
  MANIFEST_SIZE_MAX,
  MANIFESTS,
  OBJECTS,
  type SnapdirFiles,
} from "./snapdir_files.ts";

/** Ids that an error lists. */
const LISTED_MAX = 5;

/** Options of {@linkcode importSnapdir}. */
export interface ImportSnapdirOptions extends ImportOptions {
  /** Called after each file, with all so far. */
  readonly onProgress?: (progress: ImportedSoFar) => void;
}

/** How far an import is. */
export interface ImportedSoFar {
  /** Files that are in the snapshot. */
  readonly fileCount: number;
  /** Bytes of objects that were read. */
  readonly byteCount: number;
}

/** Result of {@linkcode importSnapdir}. */
export interface ImportedSnapdir extends ImportResult {
  /** The id that snapdir has for it. */
  readonly snapdirId: Id;
  /** Files of which the manifest tells another size than their content has, as links that snapdir has followed. */
  readonly otherSizeCount: number;
}

/**
 * Finds the only snapshot in a store of snapdir.
 *
 * @throws {ImportError} If there is none, or there are several.
 */
export async function onlyManifest(
  files: SnapdirFiles,
  options: StoreOptions = {},
): Promise<Id> {
  const ids: string[] = [];
  for await (const id of files.manifestIds(options)) {
    ids.push(id);
    if (ids.length > LISTED_MAX) break;
  }
  if (ids.length === 1) return ids[0] as Id;
  if (ids.length === 0) {
    throw new ImportError(
      `Cannot import from ${files.location}: no snapshot of snapdir is there`,
      "it is the place that snapdir push has as --store, which holds .manifests",
    );
  }
  const more = ids.length > LISTED_MAX ? " and more" : "";
  throw new ImportError(
    `Cannot import from ${files.location}: several snapshots are there, and no ID is given`,
    `there are ${ids.slice(0, LISTED_MAX).sort().join(", ")}${more}`,
  );
}

/**
 * Makes a snapshot of one in a store of snapdir. Its manifest is checked as a whole
 * before anything else is read, and each object against its checksum. What snapdir does
 * not hold is the same for all: times are 1970, owners 0.
 *
 * @param snapshots The store to import into.
 * @param files The store of snapdir.
 * @param id The id that snapdir has for it.
 * @param options What the record says.
 * @returns The snapshot.
 * @throws {SnapdirSyntaxError} If the manifest is none; then there is no record.
 * @throws {ImportError} If something is absent, or not what its checksum says; then there is no record.
 */
export async function importSnapdir(
  snapshots: Snapshots<WriteStore>,
  files: SnapdirFiles,
  id: string,
  options: ImportSnapdirOptions = {},
): Promise<ImportedSnapdir> {
  if (!isId(id)) {
    throw new ImportError(
      `Cannot import ${JSON.stringify(id)}: an id of snapdir has 64 hex digits`,
    );
  }
  const { signal } = options;
  const manifest = await readManifest(files, id, { signal });
  checkManifest(manifest, id, snapshots.hasher);
  const reader = await snapshots.reader();
  const objects = new ObjectImport(files, reader, options);
  const result = await importSnapshot(snapshots, {
    hasTimes: false,
    fill: (run) => objects.fill(run, manifest),
  }, options);
  const { otherSizeCount } = objects;
  return { ...result, snapdirId: id, otherSizeCount };
}

async function readManifest(
  files: SnapdirFiles,
  id: Id,
  options: StoreOptions,
): Promise<Uint8Array> {
  const name = fileName(MANIFESTS, id);
  const size = await files.size(name, options);
  if (size === undefined) {
    throw new ImportError(
      `Cannot find snapshot ${id} in ${files.location}: its manifest is not there`,
    );
  }
  if (size > MANIFEST_SIZE_MAX) {
    throw new ImportError(
      `Cannot read the manifest of ${id}: it has more than ${MANIFEST_SIZE_MAX} bytes`,
    );
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for await (const piece of files.read(name, size, options)) {
    if (at + piece.length > size) break;
    bytes.set(piece, at);
    at += piece.length;
  }
  // What has grown or shrunk meanwhile has another id, too.
  return bytes.subarray(0, at);
}

/** Reads the objects that a manifest names, each once. */
class ObjectImport {
  otherSizeCount = 0;
  #fileCount = 0;
  #byteCount = 0;
  readonly #files: SnapdirFiles;
  readonly #reader: StoreReader;
  readonly #options: ImportSnapdirOptions;
  /** Contents so far, each with its size: of a million texts the ids alone would take 150 MB. */
  readonly #known = new IdSet();
  /** Sizes of contents of which some line tells another. */
  readonly #others = new Map<Id, number>();

  constructor(
    files: SnapdirFiles,
    reader: StoreReader,
    options: ImportSnapdirOptions,
  ) {
    this.#files = files;
    this.#reader = reader;
    this.#options = options;
  }

  async fill(run: ImportRun, manifest: Uint8Array): Promise<void> {
    const { draft, pacer } = run;
    const none = new Uint8Array(0);
    const owner = draft.owners.intern(0, 0, none, none);
    for (const line of readLines(manifest)) {
      const { isDirectory, mode } = line;
      const kind = isDirectory ? EntryKind.directory : EntryKind.file;
      // What is after ./ is a path as all have it.
      const path = line.path.subarray(
        2,
        line.path.length - Number(isDirectory),
      );
      const attributes = { mode, mtimeSec: 0, mtimeNs: 0, owner };
      const node = draft.add(
        line.path.length === 2 ? none : path,
        ...[kind, attributes] as const,
      );
      const turn = pacer.yield();
      if (turn !== undefined) await turn;
      if (isDirectory) continue;
      const id = idToBytes(line.checksum);
      const size = await this.#sizeOf(run, line, id);
      draft.nodes.setContent(node, size, id);
      this.#fileCount++;
      this.#options.onProgress?.({
        fileCount: this.#fileCount,
        byteCount: this.#byteCount,
      });
    }
  }

  /** Says how many bytes the content of a line has, and sees that the store holds it. */
  async #sizeOf(
    run: ImportRun,
    line: ReadLine,
    id: Uint8Array,
  ): Promise<number> {
    if (this.#known.has(id, 0, line.size, 0)) return line.size;
    const size = this.#others.get(line.checksum) ??
      await this.#sizeHeld(run, line, id) ?? await this.#read(run, line);
    this.#known.add(id, 0, size, 0);
    if (size !== line.size) {
      this.otherSizeCount++;
      this.#others.set(line.checksum, size);
    }
    return size;
  }

  /** Says how many bytes content has that the store holds already; it is not read then. */
  async #sizeHeld(
    { content }: ImportRun,
    { size }: ReadLine,
    id: Uint8Array,
  ): Promise<number | undefined> {
    const { signal } = this.#options;
    if (!await content.holds(id, { signal })) return undefined;
    try {
      await this.#reader.openContent(id, size, { signal });
      return size;
    } catch (error) {
      // The manifest tells the size of a link, or the content came after the reader.
      const isOther = error instanceof RangeError ||
        error instanceof ObjectNotFoundError;
      if (!isOther) throw error;
      return undefined;
    }
  }

  /** Stores the content of a line, and says how many bytes it has. */
  async #read(
    { content, limit }: ImportRun,
    line: ReadLine,
  ): Promise<number> {
    const { signal } = this.#options;
    const { checksum } = line;
    const name = fileName(OBJECTS, checksum);
    const size = await this.#files.size(name, { signal });
    const path = displayPath(line.path);
    if (size === undefined) {
      throw new ImportError(
        `Cannot import ${path}: its object ${checksum} is not in ${this.#files.location}`,
        "snapdir push stores it again, where the directory is still there",
      );
    }
    limit.take(size);
    content.begin(size);
    let read = 0;
    for await (const piece of this.#files.read(name, size, { signal })) {
      read += piece.length;
      if (read > size) break;
      await content.write(piece);
    }
    // What was cut off or has grown is never named: its id is none of the manifest.
    const id = hexOf(await content.end());
    if (id !== checksum || read !== size) {
      throw new ImportError(
        `Cannot import ${path}: its object ${checksum} has id ${id}`,
        "it is damaged, or its store was made with a key or another hash than BLAKE3",
      );
    }
    this.#byteCount += size;
    return size;
  }
}
