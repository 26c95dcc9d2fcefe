import { DiskError } from "@snap/disk";
import type { SourceDirectory } from "@snap/disk/source";
import { EntryKind, isDeviceKind } from "@snap/manifest/extras";
import type { MakeBytes } from "@snap/manifest";
import { ObjectKind } from "@snap/pack";
import type { ObjectWriter } from "@snap/pack/write";
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
import type { PreviousDirectory } from "./previous_directory.ts";
import { PendingDirectory, SELF } from "./pending_directory.ts";
import type { DirectoryCompleter } from "./directory_completer.ts";
import type { DirectoryEncoder } from "./directory_encoder.ts";
import type { PreviousReader } from "./previous_reader.ts";
import type { SpillFiles } from "./spill_file.ts";
import type { ContentPacker } from "../pack/content_packer.ts";

/** Entries that are looked at between two looks at the clock. */
const STEP_ROWS = 256;

/** The save that a walk is a part of. */
export interface WalkRun {
  /** Counts a file whose content is known from the snapshot before. */
  countUnchanged(byteCount: number): void;
  /**
   * Waits while too much is under way, and lets the event loop have its turn
   * where it is time.
   *
   * @returns What to wait for, if anything.
   */
  pace(): Promise<void> | undefined;
}

/** Options of {@linkcode SaveWalk}. */
export interface SaveWalkOptions {
  /** Takes files to be read. */
  readonly queue: BatchQueue;
  /** Numbers devices, and knows whose times can be trusted. */
  readonly devices: DeviceTable;
  /** Sets attributes of a directory or an entry. */
  readonly directories: DirectoryEncoder;
  /** Names directories of which everything is known. */
  readonly completer: DirectoryCompleter;
  /** Stores large attributes. */
  readonly packer: ContentPacker;
  /** Opens directories of the snapshot before. */
  readonly previous: PreviousReader | undefined;
  /** Makes files for directories that are too wide for memory. */
  readonly spill: SpillFiles | undefined;
  /** Knows whether content of the snapshot before is still in the store. */
  readonly writer: Pick<ObjectWriter, "sink" | "trustsRecords">;
  /** Counts what is unchanged, and says when to wait. */
  readonly run: WalkRun;
}

/** Walks a source beside the snapshot before it, and finds what has to be read. */
export class SaveWalk {
  readonly #options: SaveWalkOptions;
  readonly #putContent: (bytes: Uint8Array) => Uint8Array;
  readonly #makeSpillFile: MakeBytes | undefined;
  #youngByteCount = 0;

  /**
   * Looks at nothing yet.
   *
   * @param options Where what is found goes.
   */
  constructor(options: SaveWalkOptions) {
    this.#options = options;
    const { packer, spill } = options;
    this.#putContent = (bytes) => packer.putContent(bytes);
    this.#makeSpillFile = spill && ((size) => spill.make(size));
  }

  /** Bytes of files that look unchanged, and are too young to be believed, with what opening them costs. */
  get youngByteCount(): number {
    return this.#youngByteCount;
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
      directory.previousIds = previous?.ids;
      directory.isChanged = previous === undefined;
      this.#readSelf(source, directory, previous);
      await this.#visitAll(source, directory, previous);
      const count = previous?.tree.count ?? directory.count;
      if (count !== directory.count) directory.isChanged = true;
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
    const { queue, run } = this.#options;
    let { batchCount } = queue;
    for (let row = 0;;) {
      for (; row < source.count; row++) {
        const start = directory.nameStart(row);
        const found = previous === undefined
          ? -1
          : previous.seek(directory.names, start, directory.ends[row]);
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
      await this.#options.run.pace();
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
          ids && await this.#options.previous?.directory(ids),
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
      if (hadKind) directory.expectDirectory(row, previous!.childIds(found));
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
