import { equalBytes, ID_SIZE, idFromBytes, idToBytes } from "@snap/hash";
import { AttributePage, Tree } from "@snap/manifest";
import {
  DEPTH_MAX,
  EntryKind,
  isFileKind,
  ManifestSyntaxError,
} from "@snap/manifest/extras";
import { ObjectKind } from "@snap/pack";
import type { StoreReader } from "@snap/pack/read";
import type { StoreOptions } from "@snap/store";
import type { NamedRecord } from "../records/record.ts";
import { IdSet } from "./id_set.ts";

/** Reader of trees and pages: of a store, or of received objects. */
export type ObjectReads = Pick<StoreReader, "readObject">;

/** A directory with the page beside it. */
export interface Directory {
  /** The id of the tree. */
  readonly treeId: Uint8Array;
  /** The tree. */
  readonly tree: Tree;
  /** The id of the page. */
  readonly pageId: Uint8Array;
  /** The page. */
  readonly page: AttributePage;
}

/** A directory that a walk has come to. */
export interface ReachedDirectory extends Directory {
  /** Directories of bases that stand at the same place. */
  readonly bases: readonly Directory[];
}

/** A content that a directory names. */
export interface ReachedContent {
  /** Bytes with its id. */
  readonly ids: Uint8Array;
  /** Where the 32 bytes begin. */
  readonly idStart: number;
  /** Its plain size. */
  readonly size: number;
}

/** Options of {@linkcode ReachWalk}. */
export interface ReachWalkOptions extends StoreOptions {
  /** Records all of which is known: what stands in them at the same place is passed over. */
  readonly bases?: readonly NamedRecord[];
  /** Reader of the trees of the bases; the same reader if left out. */
  readonly baseReader?: ObjectReads;
  /** Directories that were seen; those of one walk if left out. */
  readonly seen?: IdSet;
  /** Where a walk before has left off; the root if left out. */
  readonly place?: readonly number[];
}

/** The ids of the tree and of the page of a directory. */
type Place = readonly [tree: Uint8Array, page: Uint8Array];

interface Level extends ReachedDirectory {
  row: number;
  directories: number;
}

/**
 * Goes through the directories that a record reaches: each once, a parent before
 * what is below it, but for those that a base has at the same place.
 */
export class ReachWalk {
  /** Entries of the directories so far: no more than the record says in all. */
  entryCount = 0;
  readonly #reader: ObjectReads;
  readonly #record: NamedRecord;
  readonly #options: ReachWalkOptions;
  readonly #seen: IdSet;
  readonly #levels: Level[] = [];
  #hasBegun = false;

  /** Reads nothing yet. */
  constructor(
    reader: ObjectReads,
    record: NamedRecord,
    options: ReachWalkOptions = {},
  ) {
    this.#reader = reader;
    this.#record = record;
    this.#options = options;
    this.#seen = options.seen ?? new IdSet();
  }

  /** Where the walk is: another one goes on from there. */
  get place(): number[] {
    return this.#levels.map(({ row }) => row);
  }

  /**
   * Goes to the next directory.
   *
   * @returns The directory; undefined at the end.
   * @throws {ManifestSyntaxError} If a tree or page is damaged, a page belongs to
   * another tree, or directories nest too deep.
   */
  async next(): Promise<ReachedDirectory | undefined> {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      const { place = [] } = this.#options;
      if (place.length > 0) {
        await this.#goTo(place);
        // The walk before has counted these.
        this.entryCount = 0;
      } else {
        const root = await this.#enterRoot();
        if (root !== undefined) return root;
      }
    }
    for (let level = this.#levels.at(-1); level; level = this.#levels.at(-1)) {
      if (level.row === level.tree.count) {
        this.#levels.pop();
        continue;
      }
      const row = level.row++;
      if (level.tree.kind(row) !== EntryKind.directory) continue;
      const reached = await this.#enterRow(level, row, true);
      if (reached !== undefined) return reached;
    }
    return undefined;
  }

  async #goTo(place: readonly number[]): Promise<void> {
    await this.#enterRoot();
    for (const [depth, row] of place.entries()) {
      const level = this.#levels[depth];
      if (level === undefined || row > level.tree.count) throw placeError();
      const directories = level.tree.directoriesBefore(row);
      level.row = row;
      if (depth === place.length - 1) {
        level.directories = directories;
        break;
      }
      if (row === 0 || level.tree.kind(row - 1) !== EntryKind.directory) {
        throw placeError();
      }
      level.directories = directories - 1;
      await this.#enterRow(level, row - 1, false);
    }
  }

  async #enterRoot(): Promise<Level | undefined> {
    const { tree, page } = this.#record;
    const places: Place[] = [];
    for (const base of this.#options.bases ?? []) {
      if (base.tree === tree && base.page === page) return undefined;
      places.push([idToBytes(base.tree), idToBytes(base.page)]);
    }
    const bases = await this.#readBases(places);
    return await this.#enter(idToBytes(tree), idToBytes(page), bases, true);
  }

  async #enterRow(
    level: Level,
    row: number,
    isNew: boolean,
  ): Promise<Level | undefined> {
    const { tree, page } = level;
    const treeId = tree.idBytes(row);
    const pageId = page.pageIdBytes(level.directories++);
    const places: Place[] = [];
    for (const base of level.bases) {
      const at = base.tree.find(
        tree.bytes,
        tree.nameStart(row),
        tree.nameEnd(row),
      );
      if (at < 0 || base.tree.kind(at) !== EntryKind.directory) continue;
      const number = base.tree.directoriesBefore(at);
      const ids = [base.tree.idBytes(at), base.page.pageIdBytes(number)];
      if (isSame(ids[0], treeId) && isSame(ids[1], pageId)) return undefined;
      // Bases that are alike are read once.
      const isKnown = places.some(([tree, page]) =>
        isSame(ids[0], tree) && isSame(ids[1], page)
      );
      if (!isKnown) places.push([ids[0], ids[1]]);
    }
    if (isNew && !this.#seen.addPair(pageId, 0, treeId, 0)) return undefined;
    const bases = await this.#readBases(places);
    return await this.#enter(treeId, pageId, bases, false);
  }

  async #enter(
    treeId: Uint8Array,
    pageId: Uint8Array,
    bases: readonly Directory[],
    isRoot: boolean,
  ): Promise<Level | undefined> {
    if (isRoot && !this.#seen.addPair(pageId, 0, treeId, 0)) return undefined;
    if (this.#levels.length > DEPTH_MAX) {
      throw new ManifestSyntaxError(
        `Cannot walk tree ${
          idFromBytes(treeId)
        } as directories must nest at most ${DEPTH_MAX} deep`,
        0,
      );
    }
    const directory = await readDirectory(
      this.#reader,
      treeId,
      pageId,
      this.#options,
    );
    const level = { ...directory, bases, row: 0, directories: 0 };
    this.entryCount += directory.tree.count;
    this.#levels.push(level);
    return level;
  }

  async #readBases(places: readonly Place[]): Promise<Directory[]> {
    const { baseReader = this.#reader, signal } = this.#options;
    const bases: Directory[] = [];
    for (const ids of places) {
      try {
        bases.push(await readDirectory(baseReader, ...ids, this.#options));
      } catch {
        // What cannot be read saves no work, and is nobody's loss.
        signal?.throwIfAborted();
      }
    }
    return bases;
  }
}

/**
 * Reads a directory, and sees that the page is that of the tree.
 *
 * @param reader What reads objects.
 * @param treeId The id of the tree.
 * @param pageId The id of the page.
 * @param options What ends the wait.
 * @returns The directory.
 * @throws {ManifestSyntaxError} If the page is that of another tree.
 */
export async function readDirectory(
  reader: ObjectReads,
  treeId: Uint8Array,
  pageId: Uint8Array,
  options: StoreOptions,
): Promise<Directory> {
  const { signal } = options;
  const how = signal === undefined ? {} : { signal };
  const reads = [
    reader.readObject(treeId, ObjectKind.tree, how),
    reader.readObject(pageId, ObjectKind.attributes, how),
  ] as const;
  await Promise.allSettled(reads); // Whoever started work waits for its end.
  const [treeBytes, pageBytes] = await Promise.all(reads);
  const tree = Tree.decode(treeBytes);
  const page = AttributePage.decode(pageBytes);
  if (!page.belongsTo(tree, treeId)) {
    throw new ManifestSyntaxError(
      `Cannot use attributes ${
        idFromBytes(pageId)
      } as the page needs to name tree ${idFromBytes(treeId)}: found another`,
      0,
    );
  }
  return { treeId, tree, pageId, page };
}

/**
 * Names the contents of a directory: of its files, but for those that a base has
 * under the same name, of large attributes, and of lists of holes.
 *
 * @param directory The directory.
 */
export function* contentsOf(
  directory: ReachedDirectory,
): Generator<ReachedContent, void> {
  const { tree, page, bases } = directory;
  for (let row = 0; row < tree.count; row++) {
    if (!isFileKind(tree.kind(row)) || tree.size(row) === 0) continue;
    if (bases.length > 0 && isInBase(directory, row)) continue;
    const idStart = tree.idStart(row);
    yield { ids: tree.bytes, idStart, size: tree.size(row) };
  }
  if (page.extraRows === 0) return;
  for (let row = 0; row < page.rows; row++) {
    const extras = page.extras(row);
    if (extras === undefined) continue;
    for (const { id, size } of extras.xattrs) {
      if (id !== undefined) yield { ids: id, idStart: 0, size };
    }
    const { id, size } = extras.holes ?? {};
    if (id !== undefined) yield { ids: id, idStart: 0, size: size! };
  }
}

function isInBase({ tree, bases }: ReachedDirectory, row: number): boolean {
  return bases.some((base) => {
    const at = base.tree.find(
      tree.bytes,
      tree.nameStart(row),
      tree.nameEnd(row),
    );
    return at >= 0 && isFileKind(base.tree.kind(at)) &&
      base.tree.size(at) === tree.size(row) &&
      isSame(base.tree.idBytes(at), tree.idBytes(row));
  });
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return equalBytes(a, 0, b, 0, ID_SIZE);
}

function placeError(): RangeError {
  return new RangeError(
    "Cannot go on with a walk: its place is not in the tree",
  );
}
