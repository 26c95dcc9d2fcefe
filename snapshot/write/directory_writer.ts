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
    const draft = new TreeDraft(namesOf(tree));
    const pageIds = MemoryBytes.ofSize(ID_SIZE * tree.count);
    for (let row = 0; row < tree.count; row++) {
      const isKept = changes.keeps(row);
      draft.add(isKept ? tree.kind(row) : 0);
      if (isKept) setEntry(draft, tree, row, { changes, pageIds });
    }
    const page = this.#pageOf(directory, draft, changes);
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
      page.inodeHigh(from),
      page.nlink(from),
      page.device(from),
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
  draft: TreeDraft,
  tree: Tree,
  row: number,
  { changes, pageIds }: {
    readonly changes: DirectoryChanges;
    readonly pageIds: MemoryBytes;
  },
): void {
  const kind = tree.kind(row);
  if (isFileKind(kind)) {
    draft.setContent(row, tree.size(row), tree.bytes, tree.idStart(row));
  } else if (kind === EntryKind.directory) {
    const ids = changes.idsOf(row);
    draft.setTree(row, ids);
    pageIds.write(ID_SIZE * row, ids, ID_SIZE, 2 * ID_SIZE);
  } else if (kind === EntryKind.symlink) {
    draft.setTarget(row, tree.target(row));
  } else if (isDeviceKind(kind)) {
    draft.setDevice(row, tree.deviceMajor(row), tree.deviceMinor(row));
  }
}

function namesOf(
  tree: Tree,
): { rowsMax: number; names: Uint8Array; ends: Uint32Array } {
  const { count } = tree;
  const start = count === 0 ? 0 : tree.nameStart(0);
  const end = count === 0 ? 0 : tree.nameEnd(count - 1);
  const ends = new Uint32Array(count);
  for (let row = 0; row < count; row++) ends[row] = tree.nameEnd(row) - start;
  return { rowsMax: count, names: tree.bytes.subarray(start, end), ends };
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
