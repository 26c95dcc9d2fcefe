import { idFromBytes } from "@snap/hash";
import { AttributePage, Tree } from "@snap/manifest";
import { EntryKind, ManifestSyntaxError } from "@snap/manifest/extras";
import { type Arena, UNIT_SIZE } from "./arena.ts";

// A directory in the arena: a head, two words for itself as a root, two for each
// entry, tree, page. The id of an entry is the address of its two words: that of
// its directory, and what is known of it as a directory.
const MARK = 0;
const ID = 1;
const PARENT = 2;
const DEPTH = 3;
const COUNT = 4;
const TREE_SIZE = 5;
const PAGE_SIZE = 6;
const HEAD_UNITS = 4;
const MARK_VALUE = 0x736e_6164;

/** The word of a directory that one worker loads now. */
export const LOADING = 1;
/** Set in the word of a directory that is not loaded; the other bits are its number. */
export const UNLOADED: number = -0x8000_0000;

/** A tree with the page that belongs to it. */
export interface Directory {
  readonly tree: Tree;
  readonly page: AttributePage;
}

/** Plain bytes of a directory, which were checked against their ids. */
export interface DirectoryBytes {
  readonly treeBytes: Uint8Array;
  /** The attribute page beside it. */
  readonly pageBytes: Uint8Array;
}

/** Place of the 32 bytes of an id. */
export interface IdPlace {
  readonly bytes: Uint8Array;
  readonly start: number;
}

/**
 * Decodes a tree and its page, and checks that they belong together.
 *
 * @throws {ManifestSyntaxError} If they are not what they must be.
 */
export function decodeDirectory(
  { treeBytes, pageBytes }: DirectoryBytes,
  treeId: IdPlace,
): Directory {
  const tree = Tree.decode(treeBytes);
  const page = AttributePage.decode(pageBytes);
  if (page.belongsTo(tree, treeId.bytes, treeId.start)) return { tree, page };
  const id = idFromBytes(treeId.bytes, treeId.start);
  throw new ManifestSyntaxError(
    `Cannot read the attribute page of tree ${id}: it belongs to another tree`,
    32,
  );
}

/** The place of a directory in its volume. */
export interface DirectoryPlace {
  /** Its volume. */
  readonly slot: number;
  /** Its own id; 0 for that of its own first words. */
  readonly id: number;
  /** Id of the directory that has it; 0 for the root. */
  readonly parentId: number;
  /** Directories above it. */
  readonly depth: number;
}

/** A directory in the arena, as one worker sees it. */
export class LoadedDirectory implements Directory {
  readonly address: number;
  readonly tree: Tree;
  readonly page: AttributePage;
  readonly id: number;
  readonly parentId: number;
  readonly depth: number;
  /** Id of row 0; a root's own is one less. */
  readonly firstId: number;

  /** Views what {@linkcode placeDirectory} has written. */
  constructor(arena: Arena, address: number) {
    const { words, bytes } = arena;
    const at = 2 * address;
    const count = words[at + COUNT];
    const treeSize = words[at + TREE_SIZE];
    this.address = address;
    this.firstId = address + HEAD_UNITS + 1;
    this.id = words[at + ID];
    this.parentId = words[at + PARENT];
    this.depth = words[at + DEPTH];
    const treeAt = this.firstId + count;
    const pageStart = UNIT_SIZE * (treeAt + unitsOf(treeSize));
    const treeStart = UNIT_SIZE * treeAt;
    this.tree = Tree.fromDecoded(
      bytes.subarray(treeStart, treeStart + treeSize),
    );
    this.page = AttributePage.fromDecoded(
      bytes.subarray(pageStart, pageStart + words[at + PAGE_SIZE]),
    );
  }

  /** Id of an entry. */
  nodeId(row: number): number {
    return this.firstId + row;
  }
}

/** Whether a directory was written at an address. */
export function isDirectoryAt(arena: Arena, address: number): boolean {
  return address > 0 && address < arena.unitCount &&
    arena.words[2 * address + MARK] === MARK_VALUE;
}

/**
 * Writes a directory, checked before, into the arena.
 *
 * @throws {ArenaFullError} If there is no room.
 */
export function placeDirectory(
  arena: Arena,
  { tree, page }: Directory,
  place: DirectoryPlace,
): number {
  const { count } = tree;
  const treeSize = tree.bytes.length;
  const units = HEAD_UNITS + 1 + count + unitsOf(treeSize) +
    unitsOf(page.bytes.length);
  const address = arena.allocate(place.slot, UNIT_SIZE * units);
  const { words, bytes } = arena;
  const at = 2 * address;
  const rootId = address + HEAD_UNITS;
  words[at + MARK] = MARK_VALUE;
  words[at + ID] = place.id || rootId;
  words[at + PARENT] = place.parentId || place.id || rootId;
  words[at + DEPTH] = place.depth;
  words[at + COUNT] = count;
  words[at + TREE_SIZE] = treeSize;
  words[at + PAGE_SIZE] = page.bytes.length;
  let node = 2 * rootId;
  words[node++] = address;
  words[node++] = address;
  let directories = 0;
  for (let row = 0; row < count; row++) {
    const isDirectory = tree.kind(row) === EntryKind.directory;
    words[node++] = address;
    words[node++] = isDirectory ? UNLOADED | directories++ : 0;
  }
  const treeStart = 4 * node;
  bytes.set(tree.bytes, treeStart);
  bytes.set(page.bytes, treeStart + UNIT_SIZE * unitsOf(treeSize));
  return address;
}

function unitsOf(byteCount: number): number {
  return Math.ceil(byteCount / UNIT_SIZE);
}
