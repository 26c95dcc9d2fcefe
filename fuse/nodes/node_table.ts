/**
 * Entries of snapshots by the number under which the kernel knows them, in memory
 * that all workers of a mount share.
 *
 * @module
 */
import { AttributePage, Tree } from "@snap/manifest";
import {
  DEPTH_MAX,
  EntryKind,
  ManifestSyntaxError,
} from "@snap/manifest/extras";
import { Arena, ARENA_SIZE_MAX } from "./arena.ts";
import { DirectoryLoader } from "./load_directory.ts";
import {
  type DirectoryBytes,
  isDirectoryAt,
  LoadedDirectory,
  LOADING,
  placeDirectory,
  UNLOADED,
} from "./loaded_directory.ts";
import type { Objects } from "@snap/pack/objects";
import type { NodeCursor, OpenDirectory } from "./node_cursor.ts";
import { ROOT_ID } from "../device/protocol.ts";

/** Longest wait for another worker that loads the same directory, in milliseconds. */
const LOAD_WAIT_MS = 30_000;
/** Directories that a worker has views of; a power of two. */
const VIEWS_COUNT = 2048;
/** The volume of a mount of one snapshot. */
const ONLY_SLOT = 1;

/** Options of {@linkcode NodeTable.create}. */
export interface NodeTableOptions {
  /**
   * Memory to reserve in bytes; what is not touched costs nothing. Where it cannot
   * be had, half of it, and so on.
   *
   * @default {4294967296}
   */
  readonly sizeMax?: number;
  /** Whether volumes come and go; a mount of one snapshot has one for ever. */
  readonly isAll?: boolean;
}

/**
 * Entries of snapshots by the ids that the kernel has for them. A directory is
 * loaded, checked and kept when it is first looked into.
 */
export class NodeTable {
  /** The shared memory, to be handed to workers. */
  readonly buffer: SharedArrayBuffer;
  readonly #arena: Arena;
  readonly #words: Int32Array;
  readonly #loader: DirectoryLoader | undefined;
  readonly #views: (LoadedDirectory | undefined)[];
  #freedCount = 0;

  /**
   * Makes the memory of a table, and a table over it that loads no directories.
   *
   * @throws {RangeError} If no memory can be had.
   */
  static create(options: NodeTableOptions = {}): NodeTable {
    const { sizeMax = ARENA_SIZE_MAX, isAll = false } = options;
    return new NodeTable(Arena.create({ sizeMax, isAll }).buffer);
  }

  constructor(
    buffer: SharedArrayBuffer,
    parts?: { readonly objects: Objects },
  ) {
    this.buffer = buffer;
    this.#arena = new Arena(buffer);
    this.#words = this.#arena.words;
    this.#loader = parts && new DirectoryLoader(parts.objects);
    this.#views = new Array(VIEWS_COUNT).fill(undefined);
  }

  /**
   * Adds a snapshot, without references.
   *
   * @param root Bytes of its root tree and page, which were checked.
   * @throws {ArenaFullError} If there is no room.
   */
  addVolume(root: DirectoryBytes): number {
    const arena = this.#arena;
    const slot = arena.addVolume();
    const directory = {
      tree: Tree.fromDecoded(root.treeBytes),
      page: AttributePage.fromDecoded(root.pageBytes),
    };
    const id = arena.isAll ? 0 : ROOT_ID;
    const place = { slot, id, parentId: 0, depth: 0 };
    let address: number;
    try {
      address = placeDirectory(arena, directory, place);
    } catch (error) {
      arena.forget(slot, 0); // Without references it is free.
      throw error;
    }
    const rootId = this.#directory(address).firstId - 1;
    arena.setRoot(slot, rootId);
    return arena.isAll ? rootId : ROOT_ID;
  }

  /**
   * Finds an entry.
   *
   * @param idLow Lower half of its id.
   */
  select(idLow: number, idHigh: number, cursor: NodeCursor): boolean {
    if (idHigh !== 0) return false;
    const at = this.#addressOf(idLow);
    const slot = this.#arena.slotAt(at);
    if (slot < 0) return false;
    const address = this.#words[2 * at];
    if (!isDirectoryAt(this.#arena, address)) return false;
    const directory = this.#directory(address);
    const { tree } = directory;
    const row = at - directory.firstId;
    const first = directory.depth === 0 ? -1 : 0;
    if (row < first || row >= tree.count) return false;
    cursor.id = idLow;
    cursor.volume = this.#arena.isAll ? this.#arena.volumeNumber(slot) : 0;
    cursor.tree = tree;
    cursor.page = directory.page;
    cursor.row = row;
    cursor.kind = row < 0 ? EntryKind.directory : tree.kind(row);
    return true;
  }

  /**
   * Opens a directory; loads it if it is not loaded yet. Of several workers one
   * loads, the others wait for it.
   *
   * @returns Its entries; `undefined` while bytes are on their way.
   * @throws {TypeError} If it is no directory.
   * @throws {ManifestSyntaxError} If tree or page are not what they must be.
   * @throws {ObjectNotFoundError} If no pack holds them.
   * @throws {DamageError} If every copy of them is damaged.
   * @throws {ArenaFullError} If there is no room.
   */
  open(cursor: NodeCursor): OpenDirectory | undefined {
    if (cursor.kind !== EntryKind.directory) {
      throw new TypeError(
        `Cannot open node of kind ${cursor.kind}: it is no directory`,
      );
    }
    const words = this.#words;
    const at = 2 * this.#addressOf(cursor.id) + 1;
    for (;;) {
      const word = Atomics.load(words, at);
      if (word > LOADING) return this.#directory(word);
      if (word === LOADING) this.#wait(at);
      else if (Atomics.compareExchange(words, at, word, LOADING) === word) {
        return this.#load(cursor, at, word);
      }
    }
  }

  /**
   * Counts a reference of the kernel to an entry. In a mount of one snapshot this
   * does nothing.
   *
   * @param idLow Lower half of its id.
   */
  remember(idLow: number): void {
    if (!this.#arena.isAll) return;
    const slot = this.#arena.slotAt(idLow);
    if (slot >= 0) this.#arena.remember(slot);
  }

  /**
   * Takes references back. A volume without any gives its memory back. In a mount
   * of one snapshot this does nothing.
   *
   * @param idLow Lower half of the id of an entry.
   */
  forget(idLow: number, count: number): void {
    if (!this.#arena.isAll) return;
    const slot = this.#arena.slotAt(idLow);
    if (slot >= 0) this.#arena.forget(slot, count);
  }

  /**
   * Counts the references to a volume.
   *
   * @param idLow Lower half of the id of one of its entries.
   * @returns References to all its entries together; 0 where there is no volume.
   */
  references(idLow: number): number {
    const slot = this.#arena.slotAt(idLow);
    return slot < 0 ? 0 : this.#arena.references(slot);
  }

  /**
   * Spells the path of an entry.
   *
   * @param idLow Lower half of its id.
   * @returns The path below the root of its volume; empty for that root, and where
   * there is no such entry.
   */
  pathOf(idLow: number): Uint8Array {
    const names: Uint8Array[] = [];
    let at = this.#addressOf(idLow);
    while (names.length <= DEPTH_MAX && this.#arena.slotAt(at) >= 0) {
      const address = this.#words[2 * at];
      if (!isDirectoryAt(this.#arena, address)) break;
      const directory = this.#directory(address);
      const row = at - directory.firstId;
      if (row < 0 || row >= directory.tree.count) break;
      names.unshift(directory.tree.name(row));
      at = this.#addressOf(directory.id);
    }
    return joinNames(names);
  }

  #addressOf(id: number): number {
    if (id !== ROOT_ID || this.#arena.isAll) return id;
    return this.#arena.rootOf(ONLY_SLOT);
  }

  #wait(at: number): void {
    const answer = Atomics.wait(this.#words, at, LOADING, LOAD_WAIT_MS);
    if (answer !== "timed-out") return;
    throw new Error(
      `Cannot open directory: another worker has been loading it for ${LOAD_WAIT_MS} ms`,
    );
  }

  #load(
    cursor: NodeCursor,
    at: number,
    unloaded: number,
  ): OpenDirectory | undefined {
    let word = unloaded;
    try {
      const directory = this.#read(cursor, unloaded ^ UNLOADED);
      word = directory?.address ?? unloaded;
      return directory;
    } finally {
      Atomics.store(this.#words, at, word);
      Atomics.notify(this.#words, at);
    }
  }

  #read(cursor: NodeCursor, number: number): LoadedDirectory | undefined {
    if (this.#loader === undefined) {
      throw new TypeError("Cannot load directory: this table has no objects");
    }
    const { id, tree, page, row } = cursor;
    const parent = this.#directory(this.#words[2 * id]);
    const depth = parent.depth + 1;
    if (depth > DEPTH_MAX) {
      throw new ManifestSyntaxError(
        `Cannot load directory: it lies more than ${DEPTH_MAX} deep`,
        0,
      );
    }
    const read = this.#loader.load(
      { bytes: tree.bytes, start: tree.idStart(row) },
      { bytes: page.bytes, start: page.pageIdStart(number) },
    );
    if (read === undefined) return undefined;
    const slot = this.#arena.slotAt(id);
    const place = { slot, id, parentId: parent.id, depth };
    return this.#directory(placeDirectory(this.#arena, read, place));
  }

  #directory(address: number): LoadedDirectory {
    const { freedCount } = this.#arena;
    if (freedCount !== this.#freedCount) {
      this.#views.fill(undefined);
      this.#freedCount = freedCount;
    }
    const slot = Math.imul(address, 0x9e3779b1) >>> 21 & (VIEWS_COUNT - 1);
    const known = this.#views[slot];
    if (known !== undefined && known.address === address) return known;
    const directory = new LoadedDirectory(this.#arena, address);
    this.#views[slot] = directory;
    return directory;
  }
}

function joinNames(names: readonly Uint8Array[]): Uint8Array {
  const size = names.reduce((sum, name) => sum + name.length + 1, 0);
  const path = new Uint8Array(Math.max(size - 1, 0));
  let at = 0;
  for (const name of names) {
    path.set(name, at);
    at += name.length;
    if (at < path.length) path[at++] = 0x2f;
  }
  return path;
}
