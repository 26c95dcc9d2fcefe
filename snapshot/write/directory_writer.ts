import { ATTRIBUTES_CONTEXT, ID_SIZE, TREE_CONTEXT } from "@snap/hash";
import { type AttributePage, MemoryBytes, type Tree } from "@snap/manifest";
import { DraftOwners, PageDraft, TreeDraft } from "@snap/manifest/draft";
import { EntryKind, isDeviceKind, isFileKind } from "@snap/manifest/extras";
import { ObjectKind } from "@snap/pack";
import type { MetadataPacker } from "./metadata_packer.ts";

const NONE = new Uint8Array(0);

/** A directory that is written anew. */
export interface OldDirectory {
  /** Its tree. */
  readonly tree: Tree;
  /** The page beside it; if left out, nothing is known but what `own` tells. */
  readonly page?: AttributePage | undefined;
  /** The row of the directory in the page of its parent, which stands for a page that is lost. */
  readonly own?:
    | { readonly page: AttributePage; readonly row: number }
    | undefined;
}

/** What is new of a directory that is written anew. */
export interface DirectoryChanges {
  /**
   * Tells whether an entry stays.
   *
   * @param row Its row in the tree.
   */
  keeps(row: number): boolean;
  /**
   * Gives the ids of a sub-directory that stays: of its tree, then of its page.
   *
   * @param row Its row in the tree.
   */
  idsOf(row: number): Uint8Array;
  /**
   * Gives the extras of a row of the page; as they were if left out.
   *
   * @param row The row in the page: 0 is the directory itself.
   */
  extrasOf?(row: number): Uint8Array | undefined;
}

/** An entry of a directory that is put together from others. */
export interface PickedRow {
  /** The directory that it is taken from. */
  readonly from: { readonly tree: Tree; readonly page: AttributePage };
  /** Its row in the tree there. */
  readonly row: number;
  /** Of a sub-directory: the id of its tree, then of its page. */
  readonly ids?: Uint8Array;
}

/** A directory that is put together from rows of others. */
export interface PickedDirectory {
  /** The directory that its own attributes are from. */
  readonly self: PickedRow["from"];
  /** Its entries, in ascending order of their names. */
  readonly rows: readonly PickedRow[];
  /** Gives the extras of a row of a page: 0 is the directory itself. */
  extrasOf(from: PickedRow["from"], row: number): Uint8Array | undefined;
  /** Gives what tells inodes of a directory from those of others; as they are if left out. */
  inodesOf(from: PickedRow["from"]): InodeSpace | undefined;
  /** Whether it is the root, whose device is 0. */
  readonly isRoot: boolean;
}

/** A space of inode numbers, apart from that of another directory. */
export interface InodeSpace {
  /** The number of the device. */
  readonly device: number;
  /** Is added to the upper half of inode numbers, bit by bit. */
  readonly inodeHigh: number;
}

/** Writes directories anew, without some entries or with other sub-directories. */
export class DirectoryWriter {
  readonly #packer: MetadataPacker;
  readonly #owners = new DraftOwners();

  /**
   * Writes nothing yet.
   *
   * @param packer Where trees and pages go.
   */
  constructor(packer: MetadataPacker) {
    this.#packer = packer;
  }

  /**
   * Writes a directory. Yields between two steps.
   *
   * @param directory As it was.
   * @param changes What is new.
   * @returns The id of its tree, then the id of its page.
   */
  *write(
    directory: OldDirectory,
    changes: DirectoryChanges,
  ): Generator<void, Uint8Array> {
    const { tree } = directory;
    const draft = new TreeDraft(namesOfTree(tree));
    const pageIds = MemoryBytes.ofSize(ID_SIZE * tree.count);
    for (let row = 0; row < tree.count; row++) {
      const isKept = changes.keeps(row);
      draft.add(isKept ? tree.kind(row) : 0);
      if (!isKept) continue;
      const ids = tree.kind(row) === EntryKind.directory
        ? changes.idsOf(row)
        : undefined;
      setEntry({ draft, pageIds, at: row }, tree, row, ids);
    }
    const page = this.#pageOf(directory, draft, changes);
    return yield* this.#save(draft, page, pageIds);
  }

  /**
   * Writes a directory of rows of others. Yields between two steps.
   *
   * @param directory Its rows.
   * @returns The id of its tree, then the id of its page.
   */
  *writePicked(directory: PickedDirectory): Generator<void, Uint8Array> {
    const { self, rows } = directory;
    const draft = new TreeDraft(namesOf(rows));
    const page = new PageDraft(rows.length);
    const pageIds = MemoryBytes.ofSize(ID_SIZE * rows.length);
    this.#pick(page, 0, directory, { from: self, row: -1 });
    for (const [at, picked] of rows.entries()) {
      const { from: { tree }, row, ids } = picked;
      draft.add(tree.kind(row));
      setEntry({ draft, pageIds, at }, tree, row, ids);
      this.#pick(page, at + 1, directory, picked);
    }
    return yield* this.#save(draft, page, pageIds);
  }

  #pick(
    to: PageDraft,
    at: number,
    directory: PickedDirectory,
    { from, row }: PickedRow,
  ): void {
    const isRoot = at === 0 && directory.isRoot;
    const inodes = isRoot ? undefined : directory.inodesOf(from);
    this.#copyRow(to, at, from.page, row + 1, inodes);
    const extras = directory.extrasOf(from, row + 1);
    if (extras !== undefined) to.setExtras(at, extras);
  }

  *#save(
    draft: TreeDraft,
    page: PageDraft,
    pageIds: MemoryBytes,
  ): Generator<void, Uint8Array> {
    const ids = new Uint8Array(2 * ID_SIZE);
    const { tree: kind, attributes } = ObjectKind;
    const packer = this.#packer;
    yield* packer.save(TREE_CONTEXT, kind, draft.finish(), ids, 0);
    const object = page.finish({
      tree: draft,
      treeId: ids,
      pageIds,
      owners: this.#owners,
    });
    yield* packer.save(ATTRIBUTES_CONTEXT, attributes, object, ids, ID_SIZE);
    return ids;
  }

  #pageOf(
    { tree, page, own }: OldDirectory,
    draft: TreeDraft,
    changes: DirectoryChanges,
  ): PageDraft {
    const to = new PageDraft(tree.count);
    for (let row = 0; row <= tree.count; row++) {
      if (row > 0 && draft.kind(row - 1) === 0) continue;
      if (page !== undefined) {
        this.#copyRow(to, row, page, row);
        const extras = changes.extrasOf?.(row) ?? page.extrasBytes(row);
        if (extras !== undefined) to.setExtras(row, extras);
      } else if (row === 0 && own !== undefined) {
        this.#copyRow(to, 0, own.page, own.row);
      } else {
        to.setMode(row, modeOf(row === 0 ? 0 : draft.kind(row - 1)));
        to.setInode(row, 0, 0, 1, 0);
        to.setOwner(row, this.#ownerOf(own?.page, own?.row ?? 0));
      }
    }
    return to;
  }

  #copyRow(
    to: PageDraft,
    row: number,
    page: AttributePage,
    from: number,
    inodes?: InodeSpace,
  ): void {
    to.setTimes(
      row,
      page.mtimeSec(from),
      page.mtimeNs(from),
      page.ctimeSec(from),
      page.ctimeNs(from),
    );
    to.setInode(
      row,
      page.inodeLow(from),
      (page.inodeHigh(from) ^ (inodes?.inodeHigh ?? 0)) >>> 0,
      page.nlink(from),
      inodes?.device ?? page.device(from),
    );
    to.setMode(row, page.mode(from));
    to.setOwner(row, this.#ownerOf(page, from));
  }

  #ownerOf(page: AttributePage | undefined, row: number): number {
    if (page === undefined) return this.#owners.intern(0, 0, NONE, NONE);
    return this.#owners.intern(
      page.uid(row),
      page.gid(row),
      page.userName(row),
      page.groupName(row),
    );
  }
}

function setEntry(
  { draft, pageIds, at }: {
    readonly draft: TreeDraft;
    readonly pageIds: MemoryBytes;
    /** The row that is set. */
    readonly at: number;
  },
  tree: Tree,
  row: number,
  ids: Uint8Array | undefined,
): void {
  const kind = tree.kind(row);
  if (isFileKind(kind)) {
    draft.setContent(at, tree.size(row), tree.bytes, tree.idStart(row));
  } else if (kind === EntryKind.directory) {
    draft.setTree(at, ids!);
    pageIds.write(ID_SIZE * at, ids!, ID_SIZE, 2 * ID_SIZE);
  } else if (kind === EntryKind.symlink) {
    draft.setTarget(at, tree.target(row));
  } else if (isDeviceKind(kind)) {
    draft.setDevice(at, tree.deviceMajor(row), tree.deviceMinor(row));
  }
}

function namesOfTree(
  tree: Tree,
): { rowsMax: number; names: Uint8Array; ends: Uint32Array } {
  const { count } = tree;
  const start = count === 0 ? 0 : tree.nameStart(0);
  const end = count === 0 ? 0 : tree.nameEnd(count - 1);
  const ends = new Uint32Array(count);
  for (let row = 0; row < count; row++) ends[row] = tree.nameEnd(row) - start;
  return { rowsMax: count, names: tree.bytes.subarray(start, end), ends };
}

/** Names of rows, one after the other. */
function namesOf(
  rows: readonly { readonly from: OldDirectory; readonly row: number }[],
): { rowsMax: number; names: Uint8Array; ends: Uint32Array } {
  let size = 0;
  for (const { from: { tree }, row } of rows) {
    size += tree.nameEnd(row) - tree.nameStart(row);
  }
  const names = new Uint8Array(size);
  const ends = new Uint32Array(rows.length);
  for (let i = 0, at = 0; i < rows.length; i++) {
    const { from: { tree }, row } = rows[i];
    names.set(tree.name(row), at);
    ends[i] = at += tree.nameEnd(row) - tree.nameStart(row);
  }
  return { rowsMax: rows.length, names, ends };
}

/** The mode of an entry of which only its kind is known; 0 is the directory itself. */
function modeOf(kind: EntryKind | 0): number {
  return kind === 0 || kind === EntryKind.directory ||
      kind === EntryKind.executable
    ? 0o755
    : kind === EntryKind.symlink
    ? 0o777
    : 0o644;
}
