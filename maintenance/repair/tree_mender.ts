import { ID_SIZE, idFromBytes } from "@snap/hash";
import { AttributePage, Tree } from "@snap/manifest";
import {
  DEPTH_MAX,
  encodeExtras,
  EntryKind,
  type Extras,
  isFileKind,
} from "@snap/manifest/extras";
import { joinPath } from "@snap/manifest/path";
import { ObjectKind } from "@snap/pack";
import type { StoreReader } from "@snap/pack/read";
import { Pacer } from "@snap/posix/pacer";
import { IdSet } from "@snap/snapshot/reach";
import {
  DirectoryWriter,
  type MetadataPacker,
  type OldDirectory,
} from "@snap/snapshot/write";
import type { StoreOptions } from "@snap/store";
import { isLoss } from "./careful_reader.ts";
import { ContentCheck } from "./content_check.ts";

/** Lost entries that are named of each snapshot; further ones are counted. */
const LOST_MAX = 10_000;

/** What a snapshot has lost. */
export interface LostEntries {
  /** Files and directories that cannot be had; what was below a directory is not known. */
  readonly count: number;
  /** The first of them, as paths in the snapshot. */
  readonly paths: readonly Uint8Array[];
  /** Directories of which all attributes are lost, and entries that have lost some. */
  readonly attributeCount: number;
}

/** A directory without what is lost. */
export interface MendedDirectory {
  /** The id of its tree, then the id of its page. */
  readonly ids: Uint8Array;
  /** What it has lost; paths are below it. */
  readonly lost: LostEntries;
}

const NOTHING: LostEntries = { count: 0, paths: [], attributeCount: 0 };

/** What {@linkcode TreeMender} works with. */
export interface TreeMenderParts extends StoreOptions {
  /** A reader whose index knows bad packs. */
  readonly reader: StoreReader;
  /** Takes trees and pages. */
  readonly packer: MetadataPacker;
}

/**
 * Goes through snapshots, and writes directories anew from which something is lost:
 * without files that cannot be had, and with attributes that are not known where a
 * page is gone. Each directory is looked at once, whatever the number of snapshots.
 */
export class TreeMender {
  readonly #reader: StoreReader;
  readonly #options: StoreOptions;
  readonly #writer: DirectoryWriter;
  readonly #content: ContentCheck;
  readonly #pacer: Pacer;
  /** Pairs of page and tree below which all is there. */
  readonly #whole = new IdSet();
  /** By page and tree: what became of directories below which something is lost. */
  readonly #mended = new Map<string, MendedDirectory | undefined>();

  /** Looks at nothing yet. */
  constructor({ reader, packer, signal }: TreeMenderParts) {
    this.#reader = reader;
    this.#options = { signal };
    this.#writer = new DirectoryWriter(packer);
    this.#content = new ContentCheck(reader, { signal });
    this.#pacer = new Pacer({ signal });
  }

  /**
   * Mends a snapshot.
   *
   * @param treeId The id of its tree.
   * @param pageId The id of its page.
   * @returns The ids of what is left; undefined if its root is lost.
   */
  mend(
    treeId: Uint8Array,
    pageId: Uint8Array,
  ): Promise<MendedDirectory | undefined> {
    return this.#mend({ treeId, pageId, depth: 0 });
  }

  async #mend(place: Place): Promise<MendedDirectory | undefined> {
    const { treeId, pageId, depth } = place;
    if (depth > DEPTH_MAX) return undefined;
    if (pageId === undefined) return await this.#mendNew(place);
    const key = `${idFromBytes(pageId)}${idFromBytes(treeId)}`;
    if (this.#mended.has(key)) return this.#mended.get(key);
    if (this.#isWhole(treeId, pageId)) {
      return { ids: joined(treeId, pageId), lost: NOTHING };
    }
    const mended = await this.#mendNew(place);
    if (mended === undefined || isChanged(mended.lost)) {
      this.#mended.set(key, mended);
    }
    return mended;
  }

  /** Whether a directory was found whole before; counts it as such until it is known better. */
  #isWhole(treeId: Uint8Array, pageId: Uint8Array): boolean {
    return !this.#whole.addPair(pageId, 0, treeId, 0);
  }

  async #mendNew(place: Place): Promise<MendedDirectory | undefined> {
    const { treeId, pageId, depth, own } = place;
    const tree = await this.#read(treeId, ObjectKind.tree, Tree.decode);
    if (tree === undefined) return undefined;
    const read = pageId && await this.#read(
      pageId,
      ObjectKind.attributes,
      AttributePage.decode,
    );
    const page = read?.belongsTo(tree, treeId) ? read : undefined;
    const lost = new LostList();
    if (page === undefined) lost.attributeCount++;
    const isKept = new Uint8Array(tree.count).fill(1);
    const children = new Map<number, Uint8Array>();
    let directories = 0;
    for (let row = 0; row < tree.count; row++) {
      const kind = tree.kind(row);
      if (isFileKind(kind)) {
        if (await this.#hasContent(tree, row)) continue;
      } else if (kind === EntryKind.directory) {
        const child = await this.#mend({
          treeId: tree.idBytes(row).slice(),
          pageId: page?.pageIdBytes(directories++).slice(),
          depth: depth + 1,
          own: page && { page, row: row + 1 },
        });
        if (child !== undefined) {
          children.set(row, child.ids);
          lost.addBelow(tree.name(row), child.lost);
          continue;
        }
      } else continue;
      isKept[row] = 0;
      lost.add(tree.name(row));
    }
    const extras = page && await this.#mendExtras(page, isKept, lost);
    if (!isChanged(lost)) {
      return { ids: joined(treeId, pageId!), lost: NOTHING };
    }
    const ids = await this.#write({ tree, page, own }, {
      keeps: (row) => isKept[row] === 1,
      idsOf: (row) => children.get(row)!,
      extrasOf: (row) => extras?.get(row),
    });
    const { count, paths, attributeCount } = lost;
    return { ids, lost: { count, paths, attributeCount } };
  }

  async #write(
    directory: OldDirectory,
    changes: Parameters<DirectoryWriter["write"]>[1],
  ): Promise<Uint8Array> {
    const steps = this.#writer.write(directory, changes);
    let step = steps.next();
    while (!step.done) {
      await this.#pacer.yield(1 << 20);
      step = steps.next();
    }
    return step.value;
  }

  async #hasContent(tree: Tree, row: number): Promise<boolean> {
    const size = tree.size(row);
    if (size === 0) return true;
    return await this.#content.isSound(tree.bytes, tree.idStart(row), size);
  }

  /** Leaves out attributes and lists of holes that are lost; gives the extras that are new, by row. */
  async #mendExtras(
    page: AttributePage,
    isKept: Uint8Array,
    lost: LostList,
  ): Promise<Map<number, Uint8Array>> {
    const changed = new Map<number, Uint8Array>();
    if (page.extraRows === 0) return changed;
    for (let row = 0; row < page.rows; row++) {
      const extras = page.extras(row);
      if (extras === undefined || row > 0 && isKept[row - 1] === 0) continue;
      const left = await this.#soundExtras(extras);
      if (left === extras) continue;
      changed.set(row, encodeExtras(left));
      lost.attributeCount++;
    }
    return changed;
  }

  async #soundExtras(extras: Extras): Promise<Extras> {
    const isSound = async (
      { id, size }: { readonly id?: Uint8Array; readonly size: number },
    ) => id === undefined || await this.#content.isSound(id, 0, size);
    const xattrs = [];
    for (const xattr of extras.xattrs) {
      if (await isSound(xattr)) xattrs.push(xattr);
    }
    const { holes } = extras;
    const hasHoles = holes !== undefined && await isSound(holes);
    const isSame = xattrs.length === extras.xattrs.length &&
      hasHoles === (holes !== undefined);
    return isSame ? extras : { xattrs, ...(hasHoles && { holes }) };
  }

  async #read<T>(
    id: Uint8Array,
    kind: number,
    decode: (bytes: Uint8Array) => T,
  ): Promise<T | undefined> {
    try {
      const bytes = await this.#reader.readObject(id, kind, this.#options);
      await this.#pacer.yield(bytes.length);
      return decode(bytes);
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (!isLoss(error)) throw error;
      return undefined;
    }
  }
}

/** A directory that a walk has come to. */
interface Place {
  readonly treeId: Uint8Array;
  /** Not known where the page of a directory above is lost. */
  readonly pageId: Uint8Array | undefined;
  readonly depth: number;
  /** Its row in the page of its parent. */
  readonly own?: OldDirectory["own"];
}

/** Gathers what is lost from one directory. */
class LostList implements LostEntries {
  count = 0;
  attributeCount = 0;
  readonly paths: Uint8Array[] = [];

  add(path: Uint8Array): void {
    this.count++;
    if (this.paths.length < LOST_MAX) this.paths.push(path.slice());
  }

  addBelow(name: Uint8Array, lost: LostEntries): void {
    this.count += lost.count;
    this.attributeCount += lost.attributeCount;
    for (const path of lost.paths) {
      if (this.paths.length === LOST_MAX) return;
      this.paths.push(joinPath(name, path));
    }
  }
}

function isChanged({ count, attributeCount }: LostEntries): boolean {
  return count + attributeCount > 0;
}

function joined(treeId: Uint8Array, pageId: Uint8Array): Uint8Array {
  const ids = new Uint8Array(2 * ID_SIZE);
  ids.set(treeId);
  ids.set(pageId, ID_SIZE);
  return ids;
}
