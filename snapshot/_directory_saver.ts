import { ATTRIBUTES_CONTEXT, TREE_CONTEXT } from "@snap/hash/hasher";
import { ObjectKind } from "@snap/pack/object-kind";
import { AttributePageBuilder } from "@snap/manifest/attribute-page-builder";
import { EntryKind } from "@snap/manifest/entry-kind";
import { decodeExtras } from "@snap/manifest/extras";
import { TreeBuilder } from "@snap/manifest/tree-builder";
import type { StatTable } from "@snap/posix/stat-table";
import { type PendingDirectory, SELF } from "./_pending_directory.ts";
import type { Totals } from "./record.ts";

/** Names and stores canonical bytes. */
export type SaveObject = (
  context: typeof TREE_CONTEXT | typeof ATTRIBUTES_CONTEXT,
  kind: ObjectKind,
  bytes: Uint8Array,
  out: Uint8Array,
  outOffset: number,
) => void;

/** What {@linkcode DirectorySaver} needs. */
export interface DirectorySaverOptions {
  /** Names and stores trees and pages. */
  readonly save: SaveObject;
  /** The small number of the device of a row. */
  readonly deviceOf: (stats: StatTable, row: number) => number;
  /** The name of a user, empty if unknown. */
  readonly userName: (uid: number) => Uint8Array;
  /** The name of a group, empty if unknown. */
  readonly groupName: (gid: number) => Uint8Array;
}

type Counters = { -readonly [K in keyof Totals]: Totals[K] };

/** Turns directories of which everything is known into trees and attribute pages. */
export class DirectorySaver {
  /** What all directories so far hold. */
  readonly totals: Counters = {
    entryCount: 0,
    fileCount: 0,
    directoryCount: 0,
    byteCount: 0,
    xattrCount: 0,
    hardLinkCount: 0,
    holeCount: 0,
  };
  readonly #options: DirectorySaverOptions;
  readonly #tree = new TreeBuilder();
  readonly #page = new AttributePageBuilder();
  #owner = -1;
  #uid = -1;
  #gid = -1;

  /**
   * Constructs a new instance.
   *
   * @param options What stores, and what is known of devices and owners.
   */
  constructor(options: DirectorySaverOptions) {
    this.#options = options;
  }

  /**
   * Saves a directory.
   *
   * @param directory The directory; nothing of it is awaited any more.
   * @returns The id of its tree, then the id of its page.
   */
  save(directory: PendingDirectory): Uint8Array {
    const tree = this.#tree, page = this.#page;
    tree.clear();
    page.clear();
    this.#owner = -1;
    this.#addAttributes(directory.self, 0, directory.extras.get(SELF));
    for (let row = 0; row < directory.count; row++) {
      if (directory.kinds[row] === 0) continue;
      this.#addEntry(directory, row);
      this.#addAttributes(directory.stats, row, directory.extras.get(row));
    }
    const ids = new Uint8Array(64);
    const { save } = this.#options;
    save(TREE_CONTEXT, ObjectKind.tree, tree.build(), ids, 0);
    page.setTreeId(ids, 0);
    save(ATTRIBUTES_CONTEXT, ObjectKind.attributes, page.build(), ids, 32);
    return ids;
  }

  /**
   * Counts a directory in the totals, whether it is saved or known already.
   *
   * @param directory The directory.
   */
  count(directory: PendingDirectory): void {
    const { totals } = this;
    for (let row = 0; row < directory.count; row++) {
      const kind = directory.kinds[row];
      if (kind === 0) continue;
      totals.entryCount++;
      if (kind === EntryKind.directory) totals.directoryCount++;
      else if (directory.stats.nlink(row) > 1) totals.hardLinkCount++;
      if (!directory.isFile(row)) continue;
      totals.fileCount++;
      totals.byteCount += directory.sizes[row];
    }
    for (const extras of directory.extras.values()) {
      const { xattrs, holes } = decodeExtras(extras);
      if (xattrs.length > 0) totals.xattrCount++;
      if (holes !== undefined) totals.holeCount++;
    }
  }

  #addEntry(directory: PendingDirectory, row: number): void {
    const { stats, ids } = directory;
    const kind = directory.kinds[row] as EntryKind;
    const at = this.#tree.add(
      directory.names,
      directory.nameStart(row),
      directory.ends[row],
      kind,
    );
    switch (kind) {
      case EntryKind.file:
      case EntryKind.executable:
        this.#tree.setContent(at, directory.sizes[row], ids, 32 * row);
        break;
      case EntryKind.directory:
        this.#tree.setTree(at, ids, 32 * row);
        this.#page.addPageId(directory.pageIds!, 32 * row);
        break;
      case EntryKind.symlink:
        this.#tree.setTarget(at, directory.targets.get(row)!);
        break;
      case EntryKind.characterDevice:
      case EntryKind.blockDevice:
        this.#tree.setDevice(at, stats.rdevMajor(row), stats.rdevMinor(row));
        break;
    }
  }

  #addAttributes(
    stats: StatTable,
    row: number,
    extras: Uint8Array | undefined,
  ): void {
    const page = this.#page;
    const at = page.addRow();
    page.setTimes(
      at,
      stats.mtimeSec(row),
      stats.mtimeNs(row),
      stats.ctimeSec(row),
      stats.ctimeNs(row),
    );
    page.setInode(
      at,
      stats.inodeLow(row),
      stats.inodeHigh(row),
      stats.nlink(row),
      this.#options.deviceOf(stats, row),
    );
    page.setMode(at, stats.mode(row) & 0o7777);
    page.setOwner(at, this.#ownerOf(stats.uid(row), stats.gid(row)));
    if (extras !== undefined) page.setExtras(at, extras);
  }

  #ownerOf(uid: number, gid: number): number {
    if (this.#owner < 0 || uid !== this.#uid || gid !== this.#gid) {
      const { userName, groupName } = this.#options;
      this.#owner = this.#page.internOwner(
        uid,
        gid,
        userName(uid),
        groupName(gid),
      );
      this.#uid = uid;
      this.#gid = gid;
    }
    return this.#owner;
  }
}
