/**
 * A snapshot as something to look up and read: no kernel, no clock, and memory
 * that does not grow with the snapshot.
 *
 * @module
 */
import {
  argumentError,
  checkTextOrBytes,
  type Id,
  idFromBytes,
  idToBytes,
} from "@snap/hash";
import {
  DEPTH_MAX,
  EntryKind,
  type Extras,
  type ExtraValue,
  isFileKind,
  ManifestSyntaxError,
} from "@snap/manifest/extras";
import {
  displayPath,
  joinPath,
  parsePath,
  splitPath,
} from "@snap/manifest/path";
import {
  type ContentReader,
  type ReadContentOptions,
  StoreReader,
} from "@snap/pack/read";
import { Pacer } from "@snap/posix/pacer";
import type { StoreOptions } from "@snap/store";
import { checkReaderSource, checkRecord } from "../check_snapshots.ts";
import { Batched } from "./batched.ts";
import { Directories, type Directory } from "./directories.ts";
import { ManifestSource } from "./manifest_source.ts";
import { ViewEntry } from "./view_entry.ts";
import type {
  OpenViewOptions,
  ReadEntryOptions,
  ReaderSource,
  ViewRoot,
} from "./view_options.ts";

export { Batched } from "./batched.ts";
export type {
  OpenViewOptions,
  ReadEntryOptions,
  ReaderSource,
  ViewRoot,
} from "./view_options.ts";
export { type ViewAttributes, ViewEntry } from "./view_entry.ts";

/** Memory for directories in bytes where nothing else is asked for. */
const CACHE_SIZE = 16 << 20;
/** Cost of finding content, in bytes read. */
const READ_COST = 16 * 1024;
/** Entries in a batch. */
const BATCH_COUNT = 1000;
/** Files that stay open, so that their recipes are not read again. */
const OPEN_COUNT_MAX = 16;

/** A snapshot to look up and read. Every byte it hands out was checked. */
export class View {
  /** The root directory. */
  readonly root: ViewEntry;
  readonly #reader: StoreReader;
  readonly #directories: Directories;
  readonly #open = new Map<Id, Promise<ContentReader>>();

  private constructor(
    reader: StoreReader,
    directories: Directories,
    root: ViewEntry,
  ) {
    this.#reader = reader;
    this.#directories = directories;
    this.root = root;
  }

  /**
   * Opens a snapshot: reads its root directory and nothing else.
   *
   * @param source A reader of objects, or what opens one.
   * @param options Memory, what ends the wait.
   * @returns The view.
   * @throws {TypeError} If the source gives no reader, or the root is no record.
   * @throws {ObjectNotFoundError} If the store does not hold the root.
   * @throws {DamageError} If every copy of the root is damaged.
   */
  static async open(
    source: StoreReader | ReaderSource,
    root: ViewRoot,
    options: OpenViewOptions = {},
  ): Promise<View> {
    checkRecord(root, "open view");
    const isReader = source instanceof StoreReader;
    if (!isReader) checkReaderSource(source, "open view");
    const reader = isReader ? source : await source.reader();
    const { cacheSize = CACHE_SIZE, signal } = options;
    const directories = new Directories(new ManifestSource(reader), cacheSize);
    const ids = { tree: idToBytes(root.tree), page: idToBytes(root.page) };
    const { tree, page } = await directories.get(ids, signal);
    const path = new Uint8Array(0);
    const entry = new ViewEntry({ path, tree, page, row: -1, directory: ids });
    return new View(reader, directories, entry);
  }

  /**
   * Looks up a path. Symbolic links are entries, and never followed.
   *
   * @param path The path, as bytes or as `displayPath` shows it; empty for the root.
   * Slashes at its ends do not count.
   * @returns The entry, or `undefined` if there is none.
   * @throws {TypeError} If the path is neither text nor bytes.
   * @throws {DamageError} If a directory on the way is damaged in every copy.
   */
  async lookup(
    path: Uint8Array | string,
    options: StoreOptions = {},
  ): Promise<ViewEntry | undefined> {
    checkTextOrBytes({ path }, "look up");
    const bytes = typeof path === "string" ? parsePath(path) : path;
    const pacer = new Pacer(options);
    let entry = this.root;
    for (const name of splitPath(bytes)) {
      const turn = pacer.yield();
      if (turn !== undefined) await turn;
      if (entry.kind !== EntryKind.directory) return undefined;
      const directory = await this.#directory(entry, options);
      const row = directory.tree.find(name);
      if (row < 0) return undefined;
      const number = directory.tree.directoriesBefore(row);
      entry = entryOf(directory, entry.path, row, number);
    }
    return entry;
  }

  /**
   * Lists a directory, in byte order of names.
   *
   * @returns Its entries, one by one or in batches.
   * @throws {TypeError} If the entry is no directory.
   * @throws {DamageError} If the directory is damaged in every copy.
   */
  children(
    directory: ViewEntry,
    options: StoreOptions = {},
  ): Batched<ViewEntry> {
    return new Batched(() => this.#children(directory, options));
  }

  async *#children(
    directory: ViewEntry,
    options: StoreOptions,
  ): AsyncGenerator<ViewEntry[], void, void> {
    const read = await this.#directory(directory, options);
    const { tree } = read;
    const pacer = new Pacer(options);
    let number = 0;
    for (let row = 0; row < tree.count;) {
      const batch: ViewEntry[] = [];
      const end = Math.min(row + BATCH_COUNT, tree.count);
      for (; row < end; row++) {
        batch.push(entryOf(read, directory.path, row, number));
        if (tree.kind(row) === EntryKind.directory) number++;
        const turn = pacer.yield();
        if (turn !== undefined) await turn;
      }
      yield batch;
      options.signal?.throwIfAborted();
    }
  }

  /**
   * Lists everything below a directory: by name in each directory, a directory
   * before what is in it.
   *
   * @param directory Where to begin; it is not listed itself.
   * @returns Entries, one by one or in batches.
   * @throws {TypeError} If the entry is no directory.
   * @throws {DamageError} If a directory is damaged in every copy.
   * @throws {ManifestSyntaxError} If directories nest deeper than 1024.
   */
  walk(
    directory: ViewEntry = this.root,
    options: StoreOptions = {},
  ): Batched<ViewEntry> {
    return new Batched(() => this.#walk(directory, options));
  }

  async *#walk(
    directory: ViewEntry,
    options: StoreOptions,
  ): AsyncGenerator<ViewEntry[], void, void> {
    const levels = [await this.#level(directory, options)];
    const pacer = new Pacer(options);
    let batch: ViewEntry[] = [];
    for (let level = levels.at(-1); level !== undefined;) {
      const { tree } = level.directory;
      if (level.row === tree.count) {
        levels.pop();
        level = levels.at(-1);
        continue;
      }
      const { path, row, number } = level;
      const entry = entryOf(level.directory, path, row, number);
      level.row++;
      batch.push(entry);
      const turn = pacer.yield();
      if (turn !== undefined) await turn;
      if (batch.length === BATCH_COUNT) {
        yield batch;
        batch = [];
      }
      if (entry.kind !== EntryKind.directory) continue;
      level.number++;
      if (levels.length > DEPTH_MAX) throw depthError();
      level = await this.#level(entry, options);
      levels.push(level);
    }
    if (batch.length > 0) yield batch;
  }

  /**
   * Reads a file, or a range of it, into memory. All of a file is checked against
   * its id; of a range each chunk, against the id that the recipe names.
   *
   * @param options The range, and what ends the wait.
   * @returns The bytes, which belong to the caller.
   * @throws {TypeError} If the entry is no file.
   * @throws {RangeError} If the range begins before 0, or has no length.
   * @throws {DamageError} If the content is damaged in every copy.
   * @throws {IdMismatchError} If all of the file was read, and its chunks are not the whole.
   */
  async read(
    entry: ViewEntry,
    options: ReadEntryOptions = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    checkFile(entry);
    const { offset = 0, length = Infinity, signal } = options;
    const content = await this.#content(entry.idBytes, entry.size);
    return await content.read(offset, length, paced({ signal }));
  }

  /**
   * Streams a file, or a range of it. What was read is checked chunk by chunk at
   * once, and all of a file as a whole at the end: a stream that ends without an
   * error was the file.
   *
   * @param options The range, and what ends the stream.
   * @returns The bytes in pieces.
   * @throws {TypeError} If the entry is no file.
   */
  stream(
    entry: ViewEntry,
    options: ReadEntryOptions = {},
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    checkFile(entry);
    let pieces:
      | ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>
      | undefined;
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        pieces ??= (await this.#content(entry.idBytes, entry.size))
          .stream({ ...options, ...paced(options) }).getReader();
        const { done, value } = await pieces.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async (reason) => await pieces?.cancel(reason),
    }, { highWaterMark: 0 });
  }

  /**
   * Gives the extended attributes and holes of an entry. Those of a directory
   * are in its own page, which is read for it.
   *
   * @returns The extras, `undefined` if there are none.
   * @throws {DamageError} If the page is damaged in every copy.
   */
  async extras(
    entry: ViewEntry,
    options: StoreOptions = {},
  ): Promise<Extras | undefined> {
    if (entry.kind !== EntryKind.directory) return entry.extras;
    return (await this.#directory(entry, options)).page.extras(0);
  }

  /**
   * Reads the value of an extended attribute, or a list of holes, of an entry's
   * extras, also one that is content of its own.
   *
   * @throws {DamageError} If the content is damaged in every copy.
   */
  async readExtra(
    value: ExtraValue,
    options: StoreOptions = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    if (value.value !== undefined) return value.value.slice();
    const content = await this.#reader.openContent(value.id!, value.size);
    return await content.read(0, value.size, paced(options));
  }

  async #level(entry: ViewEntry, options: StoreOptions): Promise<{
    readonly directory: Directory;
    readonly path: Uint8Array;
    row: number;
    number: number;
  }> {
    const directory = await this.#directory(entry, options);
    return { directory, path: entry.path, row: 0, number: 0 };
  }

  async #directory(
    entry: ViewEntry,
    options: StoreOptions,
  ): Promise<Directory> {
    checkEntry(entry, "list");
    const { idBytes: tree, pageIdBytes: page } = entry;
    if (page === undefined) {
      throw new TypeError(
        `Cannot list ${displayPath(entry.path)}: it is no directory`,
      );
    }
    return await this.#directories.get(
      { tree, page },
      options.signal,
    );
  }

  async #content(id: Uint8Array, size: number): Promise<ContentReader> {
    const key = idFromBytes(id);
    const opening = this.#open.get(key) ?? this.#reader.openContent(id, size);
    this.#open.delete(key);
    this.#open.set(key, opening);
    if (this.#open.size > OPEN_COUNT_MAX) {
      const [oldest] = this.#open.keys();
      this.#open.delete(oldest);
    }
    try {
      const content = await opening;
      if (content.size === size) return content;
    } catch (error) {
      if (this.#open.get(key) === opening) this.#open.delete(key);
      throw error;
    }
    // Another tree gave this id another size: the reader says which is wrong.
    return await this.#reader.openContent(id, size);
  }
}

function entryOf(
  { tree, page }: Directory,
  path: Uint8Array,
  row: number,
  directoryNumber: number,
): ViewEntry {
  const own = { path: joinPath(path, tree.name(row)), tree, page, row };
  if (tree.kind(row) !== EntryKind.directory) return new ViewEntry(own);
  const directory = {
    tree: tree.idBytes(row),
    page: page.pageIdBytes(directoryNumber),
  };
  return new ViewEntry({ ...own, directory });
}

/** Options of a read that lets the event loop have its turns. */
function paced(
  { signal }: { readonly signal?: AbortSignal | undefined },
): ReadContentOptions {
  const pacer = new Pacer({ signal });
  return {
    ...signal && { signal },
    pace: (byteCount) => pacer.yield(READ_COST + byteCount),
  };
}

function checkEntry(entry: ViewEntry, action: string): void {
  if (entry instanceof ViewEntry) return;
  throw argumentError({ entry }, { action, need: "an entry of a view" });
}

function checkFile(entry: ViewEntry): void {
  checkEntry(entry, "read");
  if (isFileKind(entry.kind)) return;
  throw new TypeError(
    `Cannot read ${displayPath(entry.path)}: it is no file`,
  );
}

function depthError(): ManifestSyntaxError {
  return new ManifestSyntaxError(
    `Cannot walk snapshot: directories nest more than ${DEPTH_MAX} deep`,
    0,
  );
}
