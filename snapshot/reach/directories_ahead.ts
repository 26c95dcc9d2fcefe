/**
 * Directories of a snapshot on a store far away, asked for before a walk comes to them.
 *
 * @module
 */
import { idFromBytes } from "@snap/hash";
import { AttributePage, Tree } from "@snap/manifest";
import { EntryKind, isFileKind } from "@snap/manifest/extras";
import { ObjectKind } from "@snap/pack";
import type { StoreReader } from "@snap/pack/read";
import type { StoreOptions } from "@snap/store";

/** Directories that were asked for and not come to, at most. */
const AHEAD_MAX = 1024;
/** Directories that are read at once. */
const READS_MAX = 64;
/** Trees and pages above this size are left to the walk. */
const SIZE_MAX = 4 << 20;
/** Contents that are looked up at once. */
const CONTENTS_MAX = 512;

/** Options of {@linkcode DirectoriesAhead}. */
export interface DirectoriesAheadOptions {
  /** Whether it is looked up, too, where the contents of files lie. */
  readonly contents?: boolean;
  /** Ends all reads. */
  readonly signal?: AbortSignal | undefined;
}

interface DirectoryIds {
  readonly tree: Uint8Array;
  readonly page: Uint8Array | undefined;
}

/**
 * Numbers of sub-directories from the first directory down, two characters each: texts
 * are compared at once, however deep. In the order in which a walk comes to them;
 * a place comes before what is below it.
 */
type Place = string;

/** The sub-directories of a directory that were not asked for yet. */
interface Below {
  /** Where the directory is. */
  readonly above: Place;
  /** The number of the sub-directory that is next. */
  number: number;
  /** The place of that. */
  place: Place;
  readonly next: Iterator<DirectoryIds>;
}

/**
 * Reads the directories that a walk from the first to the last, each before what is
 * beside it, will come to: the walk reads them again, and then they are in memory.
 * Does nothing where the store is local. What cannot be read is left to the walk.
 */
export class DirectoriesAhead {
  readonly #reader: StoreReader;
  readonly #contents: boolean;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  /** Places of directories that were asked for and not come to. */
  readonly #asked = new Map<string, Place>();
  readonly #reads = new Set<Promise<void>>();
  #below: Below[] = [];

  /** Makes a reader; nothing is read yet. */
  constructor(reader: StoreReader, options: DirectoriesAheadOptions = {}) {
    const { contents = false, signal } = options;
    this.#reader = reader;
    this.#contents = contents;
    const own = this.#stop.signal;
    this.#signal = signal === undefined ? own : AbortSignal.any([own, signal]);
  }

  /**
   * Says that the walk has come to a directory.
   *
   * @param treeId The id of its tree; left out of the first directory.
   * @param page Its page, if it can be had.
   */
  enter(
    treeId: Uint8Array | undefined,
    tree: Tree,
    page: AttributePage | undefined,
  ): void {
    if (!this.#reader.ranges.isFar) return;
    const place = treeId === undefined ? "" : this.#passTo(treeId);
    this.#add(place, tree, page);
    this.#pump();
  }

  /** Says that the walk has come to a directory, and does not go into it. */
  skip(treeId: Uint8Array): void {
    if (!this.#reader.ranges.isFar) return;
    this.#passTo(treeId);
    this.#pump();
  }

  /** Ends all reads, and waits for their end. */
  async close(): Promise<void> {
    this.#below = [];
    this.#stop.abort();
    await Promise.all(this.#reads);
  }

  /** Forgets what lies before a directory: the walk has left it out. */
  #passTo(treeId: Uint8Array): Place {
    const key = idFromBytes(treeId);
    const here = this.#asked.get(key);
    if (here === undefined) return "";
    for (const [other, place] of this.#asked) {
      if (place <= here) this.#asked.delete(other);
    }
    this.#below = this.#below.filter(({ above, place }) =>
      place >= here || here.startsWith(above)
    );
    return here;
  }

  #add(
    above: Place,
    tree: Tree,
    page: AttributePage | undefined,
  ): void {
    const next = directoriesOf(tree, page);
    this.#below.push({ above, number: 0, place: placeIn(above, 0), next });
  }

  #pump(): void {
    while (
      this.#reads.size < READS_MAX && this.#asked.size < AHEAD_MAX &&
      this.#below.length > 0 && !this.#signal.aborted
    ) {
      let first = this.#below[0];
      for (const one of this.#below) {
        if (one.place < first.place) first = one;
      }
      const { done, value: ids } = first.next.next();
      if (done) {
        this.#below.splice(this.#below.indexOf(first), 1);
        continue;
      }
      const { place } = first;
      first.place = placeIn(first.above, ++first.number);
      const key = idFromBytes(ids.tree);
      if (this.#asked.has(key)) continue;
      this.#asked.set(key, place);
      const read = this.#read(ids, place).catch(() => {}).finally(() => {
        this.#reads.delete(read);
        this.#pump();
      });
      this.#reads.add(read);
    }
  }

  async #read(ids: DirectoryIds, place: Place): Promise<void> {
    const options = { signal: this.#signal, sizeMax: SIZE_MAX };
    const { tree: treeKind, attributes } = ObjectKind;
    const reads = [
      this.#reader.readObject(ids.tree, treeKind, options),
      ids.page && this.#reader.readObject(ids.page, attributes, options),
    ] as const;
    await Promise.allSettled(reads); // Whoever started work waits for its end.
    const [tree, page] = await Promise.all(reads);
    const decoded = Tree.decode(tree);
    const key = idFromBytes(ids.tree);
    if (this.#asked.get(key) === place) {
      this.#add(place, decoded, page && AttributePage.decode(page));
      this.#pump();
    }
    if (!this.#contents) return;
    for (let row = 0; row < decoded.count; row += CONTENTS_MAX) {
      if (!this.#asked.has(key)) return;
      await lookUpContents(this.#reader, decoded, row, options);
    }
  }
}

/**
 * Looks up where the contents of the next files of a tree lie, all at once, so that
 * the index can say it without a wait.
 *
 * @param reader The objects of the store.
 * @param first The first row.
 */
export async function lookUpContents(
  { index }: StoreReader,
  tree: Tree,
  first: number,
  options: StoreOptions,
): Promise<void> {
  const asks: Promise<unknown>[] = [];
  const end = Math.min(first + CONTENTS_MAX, tree.count);
  for (let row = first; row < end; row++) {
    if (!isFileKind(tree.kind(row)) || tree.size(row) === 0) continue;
    if (index.contentNow(tree.bytes, tree.idStart(row)) !== undefined) continue;
    asks.push(index.locate(tree.idBytes(row), ObjectKind.content, options));
  }
  // What goes wrong is met again by whoever needs the content.
  await Promise.allSettled(asks);
}

function* directoriesOf(
  tree: Tree,
  page: AttributePage | undefined,
): Generator<DirectoryIds, undefined> {
  let number = 0;
  for (let row = 0; row < tree.count; row++) {
    if (tree.kind(row) !== EntryKind.directory) continue;
    const pageId = page?.pageIdBytes(number++);
    yield { tree: tree.idBytes(row), page: pageId };
  }
  return undefined;
}

function placeIn(above: Place, number: number): Place {
  return above + String.fromCharCode(number >>> 16, number & 0xffff);
}
