import type { Owners } from "@snap/posix/owners";
import { ATTRIBUTES_CONTEXT, TREE_CONTEXT } from "@snap/hash";
import { ObjectKind } from "@snap/pack";
import { DraftOwners } from "@snap/manifest/draft";
import { EntryKind } from "@snap/manifest/extras";
import type { ObjectBytes } from "@snap/manifest";
import type { StatTable } from "@snap/posix/stat-table";
import type { DeviceTable } from "./device_table.ts";
import type { PendingDirectory } from "./pending_directory.ts";
import type { TotalsSoFar } from "@snap/snapshot/write";
import type { Totals } from "@snap/snapshot/records";

/** Names trees and pages. */
export interface ObjectNamer {
  /**
   * Names canonical bytes, and stores them where they are to be stored. Yields
   * between two steps.
   *
   * @param context The context of their kind.
   * @param outOffset The offset of the id in `out`.
   */
  save(
    context: typeof TREE_CONTEXT | typeof ATTRIBUTES_CONTEXT,
    kind: ObjectKind,
    object: ObjectBytes,
    out: Uint8Array,
    outOffset: number,
  ): Generator<void>;
}

/** Options of {@linkcode DirectoryEncoder}. */
export interface DirectoryEncoderOptions {
  /** Names and stores trees and pages. */
  readonly namer: ObjectNamer;
  /** Numbers devices. */
  readonly devices: DeviceTable;
  /** Knows the names of users and groups. */
  readonly owners: Owners;
  /** Totals to begin with; zero if absent. */
  readonly totals?: Totals | undefined;
}

/** Turns directories of which everything is known into trees and attribute pages. */
export class DirectoryEncoder {
  /** Totals of all directories so far. */
  readonly totals: TotalsSoFar = {
    entryCount: 0,
    fileCount: 0,
    directoryCount: 0,
    byteCount: 0,
    xattrCount: 0,
    hardLinkCount: 0,
    holeCount: 0,
  };
  readonly #options: DirectoryEncoderOptions;
  readonly #owners = new DraftOwners();
  #owner = -1;
  #uid = -1;
  #gid = -1;

  /**
   * Counts nothing yet.
   *
   * @param options What stores, and what is known of devices and owners.
   */
  constructor(options: DirectoryEncoderOptions) {
    this.#options = options;
    Object.assign(this.totals, options.totals);
  }

  /**
   * Saves a directory. Yields between two steps.
   *
   * @param directory The directory; nothing of it is awaited any more.
   * @returns The id of its tree, then the id of its page.
   */
  *save(directory: PendingDirectory): Generator<void, Uint8Array> {
    const { tree, page, pageIds } = directory;
    const ids = new Uint8Array(64);
    const { namer } = this.#options;
    yield* namer.save(TREE_CONTEXT, ObjectKind.tree, tree.finish(), ids, 0);
    const object = page.finish({
      tree,
      treeId: ids,
      pageIds,
      owners: this.#owners,
    });
    yield* namer.save(
      ATTRIBUTES_CONTEXT,
      ObjectKind.attributes,
      object,
      ids,
      32,
    );
    return ids;
  }

  /**
   * Sets attributes of a directory or of an entry.
   *
   * @param row The row of the entry, or `SELF`.
   */
  setRow(
    { page }: PendingDirectory,
    row: number,
    stats: StatTable,
    at: number,
  ): void {
    const to = row + 1;
    page.setTimes(
      to,
      stats.mtimeSec(at),
      stats.mtimeNs(at),
      stats.ctimeSec(at),
      stats.ctimeNs(at),
    );
    page.setInode(
      to,
      stats.inodeLow(at),
      stats.inodeHigh(at),
      stats.nlink(at),
      this.#options.devices.numberOf(stats, at),
    );
    page.setMode(to, stats.mode(at) & 0o7777);
    page.setOwner(to, this.#ownerOf(stats.uid(at), stats.gid(at)));
  }

  /** Counts a directory in the totals, whether it is saved or known already. */
  count(directory: PendingDirectory): void {
    const { totals } = this;
    const { tree, page } = directory;
    for (let row = 0; row < tree.count; row++) {
      const kind = tree.kind(row);
      if (kind === 0) continue;
      totals.entryCount++;
      if (kind === EntryKind.directory) totals.directoryCount++;
      else if (page.nlink(row + 1) > 1) totals.hardLinkCount++;
      if (!directory.isFile(row)) continue;
      totals.fileCount++;
      totals.byteCount += tree.size(row);
    }
    totals.xattrCount += page.xattrCount;
    totals.holeCount += page.holeCount;
  }

  #ownerOf(uid: number, gid: number): number {
    if (this.#owner < 0 || uid !== this.#uid || gid !== this.#gid) {
      const { owners } = this.#options;
      this.#owner = this.#owners.intern(
        uid,
        gid,
        owners.userName(uid),
        owners.groupName(gid),
      );
      this.#uid = uid;
      this.#gid = gid;
    }
    return this.#owner;
  }
}
