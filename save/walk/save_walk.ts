import { DiskError } from "@snap/disk";
import type { SourceDirectory } from "@snap/disk/source";
import { EntryKind, isDeviceKind } from "@snap/manifest/extras";
import type { MakeBytes } from "@snap/manifest";
import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from "@snap/posix/constants";
import { type BatchQueue, FILE_COST } from "./batch_queue.ts";
import type { DeviceTable } from "./device_table.ts";
import type { ParentDirectory } from "./previous_directory.ts";
import { PendingDirectory, SELF } from "./pending_directory.ts";
import type { SetRow } from "./save_results.ts";

/** Entries that are looked at between two looks at the clock. */
const STEP_ROWS = 256;

/** What {@linkcode SaveWalk} needs. */
export interface SaveWalkOptions {
  /** Takes files to be read. */
  readonly queue: BatchQueue;
  /** Numbers devices, and knows whose times can be trusted. */
  readonly devices: DeviceTable;
  /** Stores a large attribute. */
  readonly putContent: (bytes: Uint8Array) => Uint8Array;
  /** Opens a directory of the snapshot before, by the ids of its tree and page. */
  readonly openParent: (
    ids: Uint8Array,
  ) => Promise<ParentDirectory | undefined>;
  /** Makes room for a wide directory. */
  readonly makeWide: MakeBytes | undefined;
  /** Sets attributes of a directory or an entry. */
  readonly setRow: SetRow;
  /** Tells whether content of the snapshot before is still in the store. */
  readonly isStored: (id: Uint8Array, offset: number) => boolean;
  /** Told that one thing less is awaited of a directory. */
  readonly settle: (directory: PendingDirectory) => void;
  /** Told of a file whose content is known from the snapshot before. */
  readonly onUnchanged: (byteCount: number) => void;
  /** Waits while too much is under way, and lets the event loop have its turn where it is time. */
  readonly pace: () => Promise<void> | undefined;
}

/** Walks a source beside the snapshot before it, and finds what has to be read. */
export class SaveWalk {
  readonly #options: SaveWalkOptions;
  #youngByteCount = 0;

  /**
   * Constructs a new instance.
   *
   * @param options Who takes what is found.
   */
  constructor(options: SaveWalkOptions) {
    this.#options = options;
  }

  /** Bytes of files that look unchanged, and are too young to be believed, with what opening them costs. */
  get youngByteCount(): number {
    return this.#youngByteCount;
  }

  /**
   * Walks a directory and all below it.
   *
   * @param source The listing.
   * @param before The same directory in the snapshot before.
   */
  async run(
    source: SourceDirectory,
    before: ParentDirectory | undefined,
  ): Promise<void> {
    const directory = await this.#list(source, before, undefined, 0);
    await this.#descend(source, directory);
    this.#options.settle(directory);
    this.#options.queue.flush();
  }

  async #list(
    source: SourceDirectory,
    before: ParentDirectory | undefined,
    parent: PendingDirectory | undefined,
    parentRow: number,
  ): Promise<PendingDirectory> {
    while (source.rowsMax === undefined && source.more()) {
      await this.#options.pace();
    }
    const { makeWide, setRow } = this.#options;
    const directory = new PendingDirectory(source, parent, parentRow, makeWide);
    try {
      // It may have changed since its name was listed: both rows say the same.
      if (parent !== undefined) setRow(parent, parentRow, source.self, 0);
      directory.before = before?.ids;
      directory.isChanged = before === undefined;
      this.#readSelf(source, directory, before);
      await this.#visitAll(source, directory, before);
      const count = before?.tree.count ?? directory.count;
      if (count !== directory.count) directory.isChanged = true;
      return directory;
    } finally {
      before?.close();
    }
  }

  async #visitAll(
    source: SourceDirectory,
    directory: PendingDirectory,
    before: ParentDirectory | undefined,
  ): Promise<void> {
    const { queue, pace } = this.#options;
    let { batchCount } = queue;
    for (let row = 0;;) {
      for (; row < source.count; row++) {
        const start = directory.nameStart(row);
        const found = before === undefined
          ? -1
          : before.seek(directory.names, start, directory.ends[row]);
        this.#visit(source, directory, row, before, found);
        if (queue.batchCount === batchCount && row % STEP_ROWS > 0) continue;
        batchCount = queue.batchCount;
        await pace();
      }
      if (source.isListed) return;
      await pace();
      source.more();
    }
  }

  async #descend(
    source: SourceDirectory,
    directory: PendingDirectory,
  ): Promise<void> {
    for (let row = 0; row < directory.count; row++) {
      if (directory.tree.kind(row) !== EntryKind.directory) continue;
      await this.#options.pace();
      const child = source.open(row);
      if (child instanceof DiskError) {
        this.#leaveOut(directory, row);
        continue;
      }
      directory.waiting++;
      try {
        const ids = directory.expectedDirectory(row);
        const pending = await this.#list(
          child,
          ids && await this.#options.openParent(ids),
          directory,
          row,
        );
        await this.#descend(child, pending);
        this.#options.settle(pending);
      } finally {
        child.close();
      }
    }
  }

  /** Decides what an entry is, and whether it has to be read. */
  #visit(
    source: SourceDirectory,
    directory: PendingDirectory,
    row: number,
    before: ParentDirectory | undefined,
    found: number,
  ): void {
    const { stats } = source;
    const at = row - source.first;
    const { devices } = this.#options;
    const kind = kindOf(stats.mode(at));
    directory.tree.add(kind);
    if (kind === 0) {
      directory.isChanged = true;
      return;
    }
    this.#options.setRow(directory, row, stats, at);
    const hadKind = found >= 0 && before!.tree.kind(found) === kind;
    if (kind === EntryKind.directory) {
      if (hadKind) directory.expectDirectory(row, before!.childIds(found));
      return;
    }
    const device = devices.numberOf(stats, at);
    const isSame = hadKind &&
      before!.isRowUnchanged(found + 1, stats, at, device);
    if (!isSame) directory.isChanged = true;
    const isTrusted = devices.isTrusted(stats, at);
    if (directory.isFile(row)) {
      if (isSame && !isTrusted && devices.trustedBefore(stats, at)) {
        this.#youngByteCount += stats.size(at) + FILE_COST;
      }
      this.#visitFile(directory, row, before, found);
      return;
    }
    if (isSame && isTrusted) {
      this.#copyEntry(directory, row, before!, found);
    } else this.#readEntry(source, directory, row);
  }

  #visitFile(
    directory: PendingDirectory,
    row: number,
    before: ParentDirectory | undefined,
    found: number,
  ): void {
    const { stats, first } = directory.source;
    const trusted = found < 0
      ? undefined
      : this.#options.devices.trustedBefore(stats, row - first);
    if (
      trusted === undefined ||
      !before!.isContentUnchanged(found, stats, row - first, trusted) ||
      !this.#holdsContent(before!, found)
    ) {
      // Even if nothing seems to have changed: what is read may be different.
      directory.isChanged = true;
      this.#options.queue.add(directory, row);
      return;
    }
    const { tree } = before!;
    const { bytes } = tree;
    directory.tree.setContent(
      row,
      tree.size(found),
      bytes,
      tree.idStart(found),
    );
    this.#copyExtras(directory, row, before!, found);
    this.#options.onUnchanged(tree.size(found));
  }

  #holdsContent(before: ParentDirectory, found: number): boolean {
    const { tree } = before;
    return tree.size(found) === 0 ||
      this.#options.isStored(tree.bytes, tree.idStart(found));
  }

  #copyEntry(
    directory: PendingDirectory,
    row: number,
    before: ParentDirectory,
    found: number,
  ): void {
    this.#setDevice(directory, row);
    if (directory.tree.kind(row) === EntryKind.symlink) {
      directory.tree.setTarget(row, before.tree.target(found));
    }
    this.#copyExtras(directory, row, before, found);
  }

  #copyExtras(
    directory: PendingDirectory,
    row: number,
    before: ParentDirectory,
    found: number,
  ): void {
    const { page } = before;
    if (page.extraRows === 0) return;
    const extras = page.extrasBytes(found + 1);
    if (extras !== undefined) directory.page.setExtras(row + 1, extras);
  }

  #readEntry(
    source: SourceDirectory,
    directory: PendingDirectory,
    row: number,
  ): void {
    this.#setDevice(directory, row);
    if (directory.tree.kind(row) === EntryKind.symlink) {
      const target = source.targetOf(row);
      if (target instanceof DiskError) {
        return this.#leaveOut(directory, row);
      }
      directory.tree.setTarget(row, target);
    }
    const extras = source.extrasOf(row, this.#options.putContent);
    this.#setExtras(directory, row, extras);
  }

  #setDevice(directory: PendingDirectory, row: number): void {
    if (!isDeviceKind(directory.tree.kind(row))) return;
    const { stats, first } = directory.source;
    const at = row - first;
    directory.tree.setDevice(row, stats.rdevMajor(at), stats.rdevMinor(at));
  }

  #setExtras(
    { page }: PendingDirectory,
    row: number,
    extras: Uint8Array | DiskError | undefined,
  ): void {
    // The source has noted an error.
    if (extras instanceof DiskError) page.forgetChangeTime(row + 1);
    else if (extras !== undefined) page.setExtras(row + 1, extras);
  }

  #readSelf(
    source: SourceDirectory,
    directory: PendingDirectory,
    before: ParentDirectory | undefined,
  ): void {
    const { devices, setRow } = this.#options;
    const device = devices.numberOf(source.self, 0);
    devices.noteDirectory(source.path, source.self, 0);
    setRow(directory, SELF, source.self, 0);
    const isSame = before !== undefined &&
      devices.isTrusted(source.self, 0) &&
      before.isRowUnchanged(0, source.self, 0, device);
    if (isSame) return this.#copyExtras(directory, SELF, before, SELF);
    directory.isChanged = true;
    const extras = source.extras(this.#options.putContent);
    this.#setExtras(directory, SELF, extras);
  }

  /** Leaves an entry out that could not be read: the source has noted why. */
  #leaveOut(directory: PendingDirectory, row: number): void {
    directory.tree.leaveOut(row);
    directory.isChanged = true;
  }
}

/** The kind of an entry, or 0 if a tree has none for it. */
function kindOf(mode: number): EntryKind | 0 {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return (mode & 0o100) !== 0 ? EntryKind.executable : EntryKind.file;
    case S_IFDIR:
      return EntryKind.directory;
    case S_IFLNK:
      return EntryKind.symlink;
    case S_IFIFO:
      return EntryKind.fifo;
    case S_IFCHR:
      return EntryKind.characterDevice;
    case S_IFBLK:
      return EntryKind.blockDevice;
    default:
      return 0;
  }
}
