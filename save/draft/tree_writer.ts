import { ATTRIBUTES_CONTEXT, ID_SIZE, TREE_CONTEXT } from "@snap/hash";
import { MemoryBytes } from "@snap/manifest";
import { PageDraft, TreeDraft } from "@snap/manifest/draft";
import { EntryKind, isDeviceKind, isFileKind } from "@snap/manifest/extras";
import { ObjectKind } from "@snap/pack";
import type { MetadataPacker, TotalsSoFar } from "@snap/snapshot/write";
import type { NameTable } from "./name_table.ts";
import type { SnapshotDraft } from "./snapshot_draft.ts";

/** A directory whose entries are being written. */
interface Level {
  readonly node: number;
  /** Its names, in order: rows of the table of names. */
  readonly rows: Uint32Array;
  /** Ids of its sub-directories so far, by their rows: of the tree, then of the page. */
  readonly ids: Map<number, Uint8Array>;
  row: number;
}

/** Writes the trees and attribute pages of a draft, what is below a directory first. */
export class TreeWriter {
  /** Totals of what was written. */
  readonly totals: TotalsSoFar = {
    ...{ entryCount: 0, fileCount: 0, directoryCount: 0, byteCount: 0 },
    ...{ xattrCount: 0, hardLinkCount: 0, holeCount: 0 },
  };
  readonly #draft: SnapshotDraft;
  readonly #packer: MetadataPacker;
  /** Numbers of nodes with several names, in the order in which they are met. */
  readonly #inodes = new Map<number, number>();

  /**
   * Writes nothing yet.
   *
   * @param packer Where trees and pages go.
   */
  constructor(draft: SnapshotDraft, packer: MetadataPacker) {
    this.#draft = draft;
    this.#packer = packer;
  }

  /**
   * Writes everything. Yields after each directory.
   *
   * @returns The id of the root's tree, then the id of its page.
   */
  *write(): Generator<void, Uint8Array> {
    const levels = [this.#level(this.#draft.root)];
    for (;;) {
      const level = levels.at(-1)!;
      const child = this.#nextDirectory(level);
      if (child !== undefined) {
        levels.push(this.#level(child));
        continue;
      }
      const ids = yield* this.#writeLevel(level);
      levels.pop();
      const parent = levels.at(-1);
      if (parent === undefined) return ids;
      parent.ids.set(parent.row++, ids);
      yield;
    }
  }

  #level(node: number): Level {
    const rows = this.#draft.names.sorted(node);
    return { node, rows, ids: new Map(), row: 0 };
  }

  /** Goes on to the next sub-directory that is not written. */
  #nextDirectory(level: Level): number | undefined {
    const { names, nodes } = this.#draft;
    for (; level.row < level.rows.length; level.row++) {
      const child = names.node(level.rows[level.row]);
      if (nodes.kind(child) === EntryKind.directory) return child;
    }
    return undefined;
  }

  *#writeLevel({ node, rows, ids }: Level): Generator<void, Uint8Array> {
    const { names } = this.#draft;
    const tree = new TreeDraft(draftNames(names, rows));
    const page = new PageDraft(rows.length);
    const pageIds = MemoryBytes.ofSize(
      ids.size > 0 ? ID_SIZE * rows.length : 0,
    );
    this.#setRow(page, 0, node);
    for (let row = 0; row < rows.length; row++) {
      const child = names.node(rows[row]);
      this.#setEntry(tree, row, child, ids.get(row));
      const own = ids.get(row);
      if (own !== undefined) {
        pageIds.write(ID_SIZE * row, own, ID_SIZE, 2 * ID_SIZE);
      }
      this.#setRow(page, row + 1, child);
      this.#count(child);
    }
    this.totals.xattrCount += page.xattrCount;
    this.totals.holeCount += page.holeCount;
    const out = new Uint8Array(2 * ID_SIZE);
    const { tree: kind, attributes } = ObjectKind;
    yield* this.#packer.save(TREE_CONTEXT, kind, tree.finish(), out, 0);
    const object = page.finish({
      tree,
      treeId: out,
      pageIds,
      owners: this.#draft.owners,
    });
    yield* this.#packer.save(
      ATTRIBUTES_CONTEXT,
      attributes,
      object,
      out,
      ID_SIZE,
    );
    return out;
  }

  #setEntry(
    tree: TreeDraft,
    row: number,
    node: number,
    ids: Uint8Array | undefined,
  ): void {
    const { nodes } = this.#draft;
    const kind = nodes.kind(node);
    tree.add(kind);
    if (isFileKind(kind)) {
      tree.setContent(row, nodes.size(node), nodes.id(node));
    } else if (kind === EntryKind.directory) tree.setTree(row, ids!);
    else if (kind === EntryKind.symlink) {
      tree.setTarget(row, nodes.target(node));
    } else if (isDeviceKind(kind)) tree.setDevice(row, ...nodes.device(node));
  }

  #setRow(page: PageDraft, row: number, node: number): void {
    const { nodes } = this.#draft;
    const linkCount = nodes.linkCount(node);
    page.setTimes(row, nodes.mtimeSec(node), nodes.mtimeNs(node), 0, 0);
    const inode = this.#inode(node, linkCount);
    page.setInode(row, inode, 0, linkCount, 0);
    page.setMode(row, nodes.mode(node));
    page.setOwner(row, nodes.owner(node));
    // As a save does: the extras of a directory are in its own page alone.
    const isOwn = row === 0 || nodes.kind(node) !== EntryKind.directory;
    const extras = isOwn ? nodes.extras(node) : undefined;
    if (extras !== undefined) page.setExtras(row, extras);
  }

  /** A number by which the names of one file know each other. */
  #inode(node: number, linkCount: number): number {
    if (linkCount < 2) return Number(this.#isOf1970(node));
    const known = this.#inodes.get(node);
    if (known !== undefined) return known;
    const inode = this.#inodes.size + 1;
    this.#inodes.set(node, inode);
    return inode;
  }

  /** Whether a time of 0 has to be told from one that is not known, which has inode 0. */
  #isOf1970(node: number): boolean {
    const { nodes } = this.#draft;
    return nodes.mtimeSec(node) === 0 && nodes.mtimeNs(node) === 0 &&
      this.#draft.hasTime(node);
  }

  #count(node: number): void {
    const { nodes } = this.#draft;
    const { totals } = this;
    const kind = nodes.kind(node);
    totals.entryCount++;
    if (kind === EntryKind.directory) totals.directoryCount++;
    else if (nodes.linkCount(node) > 1) totals.hardLinkCount++;
    if (!isFileKind(kind)) return;
    totals.fileCount++;
    totals.byteCount += nodes.size(node);
  }
}

function draftNames(
  table: NameTable,
  rows: Uint32Array,
): { rowsMax: number; names: Uint8Array; ends: Uint32Array } {
  const ends = new Uint32Array(rows.length);
  let end = 0;
  for (let i = 0; i < rows.length; i++) {
    ends[i] = end += table.nameBytes(rows[i]).length;
  }
  const names = new Uint8Array(end);
  for (let i = 0, at = 0; i < rows.length; at = ends[i++]) {
    names.set(table.nameBytes(rows[i]), at);
  }
  return { rowsMax: rows.length, names, ends };
}
