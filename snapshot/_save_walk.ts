import { DiskError } from "@snap/disk/disk-error";
import type { SourceDirectory } from "@snap/disk/source-directory";
import { EntryKind } from "@snap/manifest/entry-kind";
import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from "@snap/posix/mode";
import { type BatchQueue, FILE_COST } from "./_batch_queue.ts";
import type { DeviceTable } from "./_device_table.ts";
import { forgetChangeTime, type ParentDirectory } from "./_parent_directory.ts";
import { PendingDirectory, SELF } from "./_pending_directory.ts";

/** A sub-directory of a directory of the snapshot before. */
export interface ParentChild {
  /** Its row in the tree. */
  readonly row: number;
  /** Its number among the sub-directories. */
  readonly number: number;
}

/** What {@linkcode SaveWalk} needs. */
export interface SaveWalkOptions {
  /** Takes files to be read. */
  readonly queue: BatchQueue;
  /** Numbers devices, and knows whose times can be trusted. */
  readonly devices: DeviceTable;
  /** Stores a large attribute. */
  readonly putContent: (bytes: Uint8Array) => Uint8Array;
  /** Opens a sub-directory of the snapshot before. */
  readonly openParent: (
    directory: ParentDirectory,
    child: ParentChild,
  ) => Promise<ParentDirectory | undefined>;
  /** Tells whether content of the snapshot before is still in the store. */
  readonly isStored: (id: Uint8Array, offset: number) => boolean;
  /** Told of a directory that nothing is awaited of any more. */
  readonly onComplete: (
    directory: PendingDirectory,
    isSame: boolean,
  ) => Uint8Array;
  /** Told of a file whose content is known from the snapshot before. */
  readonly onUnchanged: (byteCount: number) => void;
  /** Lets other things happen, and waits while too much is under way. */
  readonly breathe: () => Promise<void> | undefined;
}

/** Walks a source beside the snapshot before it, and finds what has to be read. */
export class SaveWalk {
  readonly #options: SaveWalkOptions;
  readonly #parents = new Map<PendingDirectory, ParentDirectory>();
  readonly #changed = new Set<PendingDirectory>();
  #rootIds: Uint8Array | undefined;
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

  /** The ids of the root's tree and page, once everything is known. */
  get rootIds(): Uint8Array | undefined {
    return this.#rootIds;
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
    await this.#enter(source, before, undefined, 0);
    this.#options.queue.flush();
  }

  /**
   * Notes that one thing less is awaited of a directory.
   *
   * @param directory The directory.
   */
  settle(directory: PendingDirectory): void {
    let current: PendingDirectory | undefined = directory;
    while (current !== undefined && --current.waiting === 0) {
      current = this.#complete(current);
    }
  }

  async #enter(
    source: SourceDirectory,
    before: ParentDirectory | undefined,
    parent: PendingDirectory | undefined,
    parentRow: number,
  ): Promise<void> {
    const directory = new PendingDirectory(source, parent, parentRow);
    // It may have changed since its name was listed: both rows say the same.
    if (parent !== undefined) source.self.copyRow(0, parent.stats, parentRow);
    if (before === undefined) this.#changed.add(directory);
    else this.#parents.set(directory, before);
    this.#readSelf(source, directory, before);
    const children = new Map<number, ParentChild>();
    const { queue } = this.#options;
    let { batchCount } = queue;
    for (let row = 0; row < directory.count; row++) {
      const start = directory.nameStart(row);
      const found = before === undefined
        ? -1
        : before.seek(directory.names, start, directory.ends[row]);
      if (source.isDirectory(row)) {
        directory.kinds[row] = EntryKind.directory;
        if (found >= 0 && before!.tree.kind(found) === EntryKind.directory) {
          children.set(row, { row: found, number: before!.directoryNumber });
        }
      } else this.#visit(source, directory, row, before, found);
      if ((row & 0xfff) === 0xfff || queue.batchCount !== batchCount) {
        batchCount = queue.batchCount;
        await this.#options.breathe();
      }
    }
    if (before !== undefined && before.tree.count !== directory.count) {
      this.#markChanged(directory);
    }
    await this.#descend(source, directory, before, children);
    this.settle(directory);
  }

  async #descend(
    source: SourceDirectory,
    directory: PendingDirectory,
    before: ParentDirectory | undefined,
    children: ReadonlyMap<number, ParentChild>,
  ): Promise<void> {
    for (let row = 0; row < directory.count; row++) {
      if (directory.kinds[row] !== EntryKind.directory) continue;
      await this.#options.breathe();
      const child = source.child(row);
      if (child instanceof DiskError) {
        this.#leaveOut(directory, row);
        continue;
      }
      const known = children.get(row);
      directory.waiting++;
      try {
        const childBefore = known === undefined
          ? undefined
          : await this.#options.openParent(before!, known);
        await this.#enter(child, childBefore, directory, row);
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
    const { stats } = directory;
    const { devices } = this.#options;
    const mode = stats.mode(row);
    const kind = kindOf(mode);
    directory.kinds[row] = kind;
    if (kind === 0) return this.#markChanged(directory);
    const device = devices.numberOf(stats, row);
    const isSame = found >= 0 && before!.tree.kind(found) === kind &&
      before!.isRowUnchanged(found + 1, stats, row, device);
    if (!isSame) this.#markChanged(directory);
    const isTrusted = devices.isTrusted(stats, row);
    if (directory.isFile(row)) {
      if (isSame && !isTrusted && devices.trustedBefore(stats, row)) {
        this.#youngByteCount += stats.size(row) + FILE_COST;
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
    const { stats } = directory;
    const trusted = found < 0
      ? undefined
      : this.#options.devices.trustedBefore(stats, row);
    if (
      trusted === undefined ||
      !before!.isContentUnchanged(found, stats, row, trusted) ||
      !this.#holdsContent(before!, found)
    ) {
      // Even if nothing seems to have changed: what is read may be different.
      this.#markChanged(directory);
      this.#options.queue.add(directory, row);
      return;
    }
    const { tree } = before!;
    const id = tree.idStart(found);
    for (let i = 0; i < 32; i++) {
      directory.ids[32 * row + i] = tree.bytes[id + i];
    }
    directory.sizes[row] = tree.size(found);
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
    if (directory.kinds[row] === EntryKind.symlink) {
      directory.targets.set(row, before.tree.target(found).slice());
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
    if (extras !== undefined) directory.extras.set(row, extras.slice());
  }

  #readEntry(
    source: SourceDirectory,
    directory: PendingDirectory,
    row: number,
  ): void {
    if (directory.kinds[row] === EntryKind.symlink) {
      const target = source.targetOf(row);
      if (target instanceof DiskError) {
        return this.#leaveOut(directory, row);
      }
      directory.targets.set(row, target);
    }
    const extras = source.extrasOf(row, this.#options.putContent);
    // The source has noted an error.
    if (extras instanceof DiskError) forgetChangeTime(directory.stats, row);
    else if (extras !== undefined) directory.extras.set(row, extras);
  }

  #readSelf(
    source: SourceDirectory,
    directory: PendingDirectory,
    before: ParentDirectory | undefined,
  ): void {
    const { devices } = this.#options;
    const device = devices.numberOf(source.self, 0);
    const isSame = before !== undefined &&
      devices.isTrusted(source.self, 0) &&
      before.isRowUnchanged(0, source.self, 0, device);
    if (isSame) return this.#copyExtras(directory, SELF, before, SELF);
    this.#markChanged(directory);
    const extras = source.extras(this.#options.putContent);
    // The source has noted an error.
    if (extras instanceof DiskError) forgetChangeTime(directory.self, 0);
    else if (extras !== undefined) directory.extras.set(SELF, extras);
  }

  /** Leaves an entry out that could not be read: the source has noted why. */
  #leaveOut(directory: PendingDirectory, row: number): void {
    directory.leaveOut(row);
    this.#markChanged(directory);
  }

  #markChanged(directory: PendingDirectory): void {
    this.#changed.add(directory);
  }

  /** Names a directory, and gives the one above it, of which one thing less is awaited. */
  #complete(directory: PendingDirectory): PendingDirectory | undefined {
    const before = this.#parents.get(directory);
    const isSame = !this.#changed.has(directory);
    this.#parents.delete(directory);
    this.#changed.delete(directory);
    const saved = this.#options.onComplete(directory, isSame);
    const ids = isSame ? before!.ids : saved;
    const { parent, parentRow } = directory;
    if (parent === undefined) {
      this.#rootIds = ids;
      return undefined;
    }
    parent.setDirectory(parentRow, ids);
    // The directory above stays as it was only if this one does.
    if (before === undefined || !equals(ids, before.ids)) {
      this.#markChanged(parent);
    }
    return parent;
  }
}

function equals(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The kind of an entry, or 0 if a tree has none for it. */
function kindOf(mode: number): number {
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
