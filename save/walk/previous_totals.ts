import { decodeExtras, EntryKind, isFileKind } from "@snap/manifest/extras";
import type { TotalsSoFar } from "@snap/snapshot/write";
import type { PendingDirectory } from "./pending_directory.ts";
import { PreviousDirectory } from "./previous_directory.ts";
import type { PreviousReader } from "./previous_reader.ts";

/** Takes what is replaced or gone out of the totals of the snapshot before. */
export class PreviousTotals {
  readonly #totals: TotalsSoFar;
  readonly #reader: Pick<PreviousReader, "directory">;
  #isKnown = true;

  /**
   * Takes out nothing yet.
   *
   * @param totals Those of the snapshot before, in which the walk counts what it finds.
   * @param reader Opens directories of that snapshot.
   */
  constructor(totals: TotalsSoFar, reader: Pick<PreviousReader, "directory">) {
    this.#totals = totals;
    this.#reader = reader;
  }

  /** Whether the totals are right: not if a directory could not be read. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Takes out the entries of a directory that is walked, and all that is below those that are gone. */
  async replace(
    previous: PreviousDirectory,
    directory: PendingDirectory,
  ): Promise<void> {
    this.#takeEntries(previous);
    for (const ids of goneDirectories(previous, directory)) {
      await this.takeBelow(ids);
    }
  }

  /**
   * Takes out a directory that is gone, and all that is below it.
   *
   * @param ids The id of its tree, then the id of its page.
   */
  async takeBelow(ids: Uint8Array): Promise<void> {
    const waiting = [ids];
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const previous = await this.#reader.directory(next);
      if (previous === undefined) return this.forget();
      this.#takeEntries(previous);
      waiting.push(...previous.allChildIds());
      previous.close();
    }
  }

  /** Notes that a directory of the snapshot before could not be read. */
  forget(): void {
    this.#isKnown = false;
  }

  #takeEntries({ tree, page }: PreviousDirectory): void {
    const totals = this.#totals;
    for (let row = 0; row < tree.count; row++) {
      const kind = tree.kind(row);
      totals.entryCount--;
      if (kind === EntryKind.directory) totals.directoryCount--;
      else if (page.nlink(row + 1) > 1) totals.hardLinkCount--;
      if (!isFileKind(kind)) continue;
      totals.fileCount--;
      totals.byteCount -= tree.size(row);
    }
    for (let row = 0; page.extraRows > 0 && row <= tree.count; row++) {
      const bytes = page.extrasBytes(row);
      if (bytes === undefined) continue;
      const { xattrs, holes } = decodeExtras(bytes);
      if (xattrs.length > 0) totals.xattrCount--;
      if (holes !== undefined) totals.holeCount--;
    }
  }
}

/** Ids of the directories that are directories no more. */
function goneDirectories(
  { ids, tree, page }: PreviousDirectory,
  directory: PendingDirectory,
): Uint8Array[] {
  if (directory.expectedCount === page.directories) return [];
  const again = new PreviousDirectory(ids, tree, page);
  const stays = new Uint8Array(page.directories);
  for (let row = 0; row < directory.count; row++) {
    const start = directory.nameStart(row);
    const found = again.seek(directory.names, start, directory.ends[row]);
    if (found < 0 || tree.kind(found) !== EntryKind.directory) continue;
    if (directory.tree.kind(row) !== EntryKind.directory) continue;
    stays[again.directoryNumber] = 1;
  }
  return again.allChildIds().filter((_, number) => stays[number] === 0);
}
