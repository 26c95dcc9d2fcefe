import { DiskError } from "@snap/disk";
import type { SourceDirectory } from "@snap/disk/source";
import { EntryKind, isDeviceKind } from "@snap/manifest/extras";
import type { MakeBytes } from "@snap/manifest";
import { ObjectKind } from "@snap/pack";
import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from "@snap/posix/constants";
import { FILE_COST } from "./batch_queue.ts";
import type { PreviousDirectory } from "./previous_directory.ts";
import { PendingDirectory, SELF } from "./pending_directory.ts";
import { PreviousTotals } from "./previous_totals.ts";
import type { SaveWalkOptions } from "./save_walk_options.ts";

/** Entries that are looked at between two looks at the clock. */
const STEP_ROWS = 256;

/** Walks a source beside the snapshot before it, and finds what has to be read. */
export class SaveWalk {
  readonly #options: SaveWalkOptions;
  readonly #putContent: (bytes: Uint8Array) => Uint8Array;
  readonly #makeSpillFile: MakeBytes | undefined;
  readonly #totals: PreviousTotals | undefined;
  #youngByteCount = 0;

  /**
   * Looks at nothing yet.
   *
   * @param options Where what is found goes.
   */
  constructor(options: SaveWalkOptions) {
    this.#options = options;
    const { directories, known, packer, previous, spill } = options;
    this.#totals = known && previous &&
      new PreviousTotals(directories.totals, previous);
    this.#putContent = (bytes) => packer.putContent(bytes);
    this.#makeSpillFile = spill && ((size) => spill.make(size));
  }

  /** Bytes of files that look unchanged, and are too young to be believed, with what opening them costs. */
  get youngByteCount(): number {
    return this.#youngByteCount;
  }

  /** Whether the totals are right, of what is known, too. */
  get areTotalsKnown(): boolean {
    return this.#totals?.isKnown !== false;
  }

  /**
   * Walks a directory and all below it.
   *
   * @param previous The same directory in the snapshot before.
   */
  async run(
    source: SourceDirectory,
    previous: PreviousDirectory | undefined,
  ): Promise<void> {
    const directory = await this.#list(source, previous, undefined, 0);
    await this.#descend(source, directory);
    this.#options.completer.settle(directory);
    this.#options.queue.flush();
  }

  async #list(
    source: SourceDirectory,
    previous: PreviousDirectory | undefined,
    parent: PendingDirectory | undefined,
    parentRow: number,
  ): Promise<PendingDirectory> {
    while (source.rowsMax === undefined && source.more()) {
      await this.#options.run.pace();
    }
    const { directories } = this.#options;
    const directory = new PendingDirectory(
      source,
      parent,
      parentRow,
      this.#makeSpillFile,
    );
    try {
      // It may have changed since its name was listed: both rows say the same.
      if (parent !== undefined) {
        directories.setRow(parent, parentRow, source.self, 0);
      }
      this.#options.recorder?.begin(source);
      directory.previousIds = previous?.ids;
      directory.isChanged = previous === undefined;
      this.#readSelf(source, directory, previous);
      await this.#visitAll(source, directory, previous);
      const count = previous?.tree.count ?? directory.count;
      if (count !== directory.count) directory.isChanged = true;
      this.#options.recorder?.end();
      if (previous !== undefined) {
        await this.#totals?.replace(previous, directory);
      }
      return directory;
    } finally {
      previous?.close();
    }
  }

  async #visitAll(
    source: SourceDirectory,
    directory: PendingDirectory,
    previous: PreviousDirectory | undefined,
  ): Promise<void> {
    const { queue, recorder, run } = this.#options;
    let { batchCount } = queue;
    for (let row = 0;;) {
      for (; row < source.count; row++) {
        const start = directory.nameStart(row);
        const found = previous === undefined
          ? -1
          : previous.seek(directory.names, start, directory.ends[row]);
        recorder?.add(source, row);
        this.#visit(source, directory, row, previous, found);
        if (queue.batchCount === batchCount && row % STEP_ROWS > 0) continue;
        batchCount = queue.batchCount;
        await run.pace();
      }
      if (source.isListed) return;
      await run.pace();
      source.more();
    }
  }

  async #descend(
    source: SourceDirectory,
    directory: PendingDirectory,
  ): Promise<void> {
    for (let row = 0; row < directory.count; row++) {
      if (directory.tree.kind(row) !== EntryKind.directory) continue;
      if (directory.isKept(row)) continue;
      await this.#options.run.pace();
      const ids = directory.expectedDirectory(row);
      const child = source.open(row);
      if (child instanceof DiskError) {
        this.#leaveOut(directory, row);
        this.#options.recorder?.begin(undefined);
        if (ids !== undefined) await this.#totals?.takeBelow(ids);
        continue;
      }
      directory.waiting++;
      try {
        const pending = await this.#list(
          child,
          ids && await this.#openPrevious(ids),
          directory,
          row,
        );
        await this.#descend(child, pending);
        this.#options.completer.settle(pending);
      } finally {
        child.close();
      }
    }
  }

  async #openPrevious(ids: Uint8Array): Promise<PreviousDirectory | undefined> {
    const previous = await this.#options.previous?.directory(ids);
    if (previous === undefined) this.#totals?.forget();
    return previous;
  }

  /** Decides what an entry is, and whether it has to be read. */
  #visit(
    source: SourceDirectory,
    directory: PendingDirectory,
    row: number,
    previous: PreviousDirectory | undefined,
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
    this.#options.directories.setRow(directory, row, stats, at);
    const hadKind = found >= 0 && previous!.tree.kind(found) === kind;
    if (kind === EntryKind.directory) {
      if (hadKind) this.#expectDirectory(directory, row, previous!, found);
      return;
    }
    const device = devices.numberOf(stats, at);
    const isSame = hadKind &&
      previous!.isRowUnchanged(found + 1, stats, at, device);
    if (!isSame) directory.isChanged = true;
    const isTrusted = devices.isTrusted(stats, at);
    if (directory.isFile(row)) {
      if (isSame && !isTrusted && devices.trustedBefore(stats, at)) {
        this.#youngByteCount += stats.size(at) + FILE_COST;
      }
      this.#visitFile(directory, row, previous, found);
      return;
    }
    if (isSame && isTrusted) {
      this.#copyEntry(directory, row, previous!, found);
    } else this.#readEntry(source, directory, row);
  }

  /** Notes what a sub-directory was, and whether it is known to be that still. */
  #expectDirectory(
    directory: PendingDirectory,
    row: number,
    previous: PreviousDirectory,
    found: number,
  ): void {
    const { devices, known } = this.#options;
    const ids = previous.childIds(found);
    const { stats, first } = directory.source;
    const at = row - first;
    const device = devices.numberOf(stats, at);
    // Both its own page and this one have its row: it must be the same in both.
    const isSame = known?.isSame(directory.pathOf(row)) === true &&
      previous.isRowUnchanged(found + 1, stats, at, device);
    if (isSame) directory.keepDirectory(row, ids);
    else directory.expectDirectory(row, ids);
  }

  #visitFile(
    directory: PendingDirectory,
    row: number,
    previous: PreviousDirectory | undefined,
    found: number,
  ): void {
    const { stats, first } = directory.source;
    const trusted = found < 0
      ? undefined
      : this.#options.devices.trustedBefore(stats, row - first);
    if (
      trusted === undefined ||
      !previous!.isContentUnchanged(found, stats, row - first, trusted) ||
      !this.#holdsContent(previous!, found)
    ) {
      // Even if nothing seems to have changed: what is read may be different.
      directory.isChanged = true;
      this.#options.queue.add(directory, row);
      return;
    }
    const { tree } = previous!;
    const { bytes } = tree;
    directory.tree.setContent(
      row,
      tree.size(found),
      bytes,
      tree.idStart(found),
    );
    this.#copyExtras(directory, row, previous!, found);
    this.#options.run.countUnchanged(tree.size(found));
  }

  #holdsContent(previous: PreviousDirectory, found: number): boolean {
    const { tree } = previous;
    const { writer } = this.#options;
    return writer.trustsRecords || tree.size(found) === 0 ||
      writer.sink().has(tree.bytes, tree.idStart(found), ObjectKind.content);
  }

  #copyEntry(
    directory: PendingDirectory,
    row: number,
    previous: PreviousDirectory,
    found: number,
  ): void {
    this.#setDevice(directory, row);
    if (directory.tree.kind(row) === EntryKind.symlink) {
      directory.tree.setTarget(row, previous.tree.target(found));
    }
    this.#copyExtras(directory, row, previous, found);
  }

  #copyExtras(
    directory: PendingDirectory,
    row: number,
    previous: PreviousDirectory,
    found: number,
  ): void {
    const { page } = previous;
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
    const extras = source.extrasOf(row, this.#putContent);
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
    previous: PreviousDirectory | undefined,
  ): void {
    const { devices, directories } = this.#options;
    const device = devices.numberOf(source.self, 0);
    devices.noteDirectory(source.path, source.self, 0);
    directories.setRow(directory, SELF, source.self, 0);
    const isSame = previous !== undefined &&
      devices.isTrusted(source.self, 0) &&
      previous.isRowUnchanged(0, source.self, 0, device);
    if (isSame) return this.#copyExtras(directory, SELF, previous, SELF);
    directory.isChanged = true;
    const extras = source.extras(this.#putContent);
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
