import { ID_SIZE } from "@snap/hash";
import { displayPath, joinPath } from "@snap/manifest/path";
import { DEPTH_MAX, encodeExtras, EntryKind } from "@snap/manifest/extras";
import { Pacer } from "@snap/posix/pacer";
import {
  type Directory,
  type ObjectReads,
  readDirectory,
} from "@snap/snapshot/reach";
import type { Totals } from "@snap/snapshot/records";
import {
  addEntry,
  addExtras,
  countTotals,
  type DirectoryWriter,
  type InodeSpace,
  NO_TOTALS,
  type PickedRow,
  type TotalsSoFar,
} from "@snap/snapshot/write";
import { OverlayError } from "./overlay_error.ts";
import {
  isWhiteout,
  type OverlayMarks,
  overlayMarks,
} from "./overlay_marks.ts";

/** Ids of a directory: of its tree, then of its page. */
type Ids = Uint8Array;

/** What {@linkcode OverlayMerge} works with. */
export interface OverlayMergeParts {
  /** Reads trees and pages of the upper directory. */
  readonly upper: ObjectReads;
  /** Reads those of the snapshot below it. */
  readonly lower: ObjectReads;
  /** The totals of the snapshot. */
  readonly lowerTotals: Totals;
  /** Writes the merged directories. */
  readonly writer: DirectoryWriter;
  /** Sets inodes of the upper directory apart from those of the snapshot. */
  readonly inodes: InodeSpace;
  /** Called before a directory is written: there may have to be room first. */
  readonly settled: () => Promise<void>;
  readonly signal: AbortSignal | undefined;
}

/** A directory of the upper directory, and what its marks say. */
interface Upper extends Directory {
  readonly path: Uint8Array;
  readonly marks: OverlayMarks;
}

/**
 * Merges the upper directory of an overlay with the snapshot below it. Of the
 * snapshot nothing is read but directories that also stand in the upper one, and
 * to count them those that are gone.
 */
export class OverlayMerge {
  readonly #parts: OverlayMergeParts;
  readonly #pacer: Pacer;
  readonly #added: TotalsSoFar = { ...NO_TOTALS };
  readonly #removed: TotalsSoFar = { ...NO_TOTALS };

  /** Merges nothing yet. */
  constructor(parts: OverlayMergeParts) {
    this.#parts = parts;
    this.#pacer = new Pacer({ signal: parts.signal });
  }

  /** The totals of what was merged. */
  get totals(): Totals {
    const totals: TotalsSoFar = { ...this.#parts.lowerTotals };
    for (const name of Object.keys(NO_TOTALS) as (keyof Totals)[]) {
      totals[name] += this.#added[name] - this.#removed[name];
    }
    return totals;
  }

  /**
   * Merges the roots and all below them.
   *
   * @param upper The ids of the upper directory.
   * @param lower The ids of the snapshot.
   * @returns The ids of what both show together.
   * @throws {OverlayError} If an entry of the upper directory stands for content of the lower one.
   */
  merge(upper: Ids, lower: Ids): Promise<Ids> {
    return this.#merge(upper, lower, new Uint8Array(0), 0);
  }

  async #merge(
    upperIds: Ids,
    lowerIds: Ids | undefined,
    path: Uint8Array,
    depth: number,
  ): Promise<Ids> {
    if (depth > DEPTH_MAX) {
      throw new RangeError(
        `Cannot merge directories: they nest more than ${DEPTH_MAX} deep`,
      );
    }
    const upper = await this.#readUpper(upperIds, path);
    const turn = this.#pacer.yield(upper.tree.bytes.length);
    if (turn !== undefined) await turn;
    const isHidden = upper.marks.isOpaque && lowerIds !== undefined;
    if (isHidden) await this.#removeBelow(lowerIds);
    const lower = isHidden || lowerIds === undefined
      ? undefined
      : await this.#read(this.#parts.lower, lowerIds);
    if (lower !== undefined) addExtras(this.#removed, lower.page.extras(0));
    addExtras(this.#added, upper.marks.extras);
    const rows: PickedRow[] = [];
    const above = new Rows(upper), below = lower && new Rows(lower);
    while (!above.isDone || below?.isDone === false) {
      const order = below === undefined ? 1 : above.compare(below);
      const picked = order < 0
        ? below!.take()
        : await this.#mergeEntry(upper, above.take(), {
          below: order === 0 ? below!.take() : undefined,
          depth,
        });
      if (picked !== undefined) rows.push(picked);
    }
    return await this.#write(upper, rows, depth);
  }

  /** Gives what stands for an entry of the upper directory; nothing for a whiteout. */
  async #mergeEntry(
    upper: Upper,
    { row, ids }: PickedRow,
    { below, depth }: {
      readonly below: PickedRow | undefined;
      readonly depth: number;
    },
  ): Promise<PickedRow | undefined> {
    const { tree, page } = upper;
    const marks = overlayMarks(page, row + 1);
    const isMerged = ids !== undefined && below?.ids !== undefined;
    if (below !== undefined) await this.#remove(below, isMerged);
    if (isWhiteout(tree, row, upper.marks, marks)) return undefined;
    const path = joinPath(upper.path, tree.name(row));
    checkPointer(path, marks);
    addEntry(this.#added, tree, page, row);
    if (ids === undefined) {
      addExtras(this.#added, marks.extras);
      return { from: upper, row };
    }
    const under = isMerged ? below!.ids : undefined;
    const merged = await this.#merge(ids, under, path, depth + 1);
    return { from: upper, row, ids: merged };
  }

  async #write(
    upper: Upper,
    rows: readonly PickedRow[],
    depth: number,
  ): Promise<Ids> {
    const { settled, writer, inodes } = this.#parts;
    await settled();
    const steps = writer.writePicked({
      self: upper,
      rows,
      extrasOf: (from, row) => {
        if (from !== upper) return from.page.extrasBytes(row);
        const { extras } = row === 0
          ? upper.marks
          : overlayMarks(upper.page, row);
        return extras && encodeExtras(extras);
      },
      inodesOf: (from) => from === upper ? inodes : undefined,
      // The device of the root is 0, whatever lies in it.
      isRoot: depth === 0,
    });
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      await this.#pacer.yield(1 << 20);
    }
  }

  async #readUpper(ids: Ids, path: Uint8Array): Promise<Upper> {
    const directory = await this.#read(this.#parts.upper, ids);
    const marks = overlayMarks(directory.page, 0);
    checkPointer(path, marks);
    return { ...directory, path, marks };
  }

  #read(reader: ObjectReads, ids: Ids): Promise<Directory> {
    const treeId = ids.subarray(0, ID_SIZE), pageId = ids.subarray(ID_SIZE);
    return readDirectory(reader, treeId, pageId, { ...this.#signal });
  }

  /** Counts an entry of the snapshot that is gone or replaced, and what is below it unless that is merged. */
  async #remove(
    { from: { tree, page }, row, ids }: PickedRow,
    isMerged: boolean,
  ): Promise<void> {
    addEntry(this.#removed, tree, page, row);
    if (ids === undefined) addExtras(this.#removed, page.extras(row + 1));
    else if (!isMerged) await this.#removeBelow(ids);
  }

  async #removeBelow(ids: Ids): Promise<void> {
    const { lower, lowerTotals: { entryCount } } = this.#parts;
    const totals = await countTotals(lower, {
      treeId: ids.subarray(0, ID_SIZE),
      pageId: ids.subarray(ID_SIZE),
    }, { entryCountMax: entryCount, ...this.#signal });
    for (const name of Object.keys(NO_TOTALS) as (keyof Totals)[]) {
      this.#removed[name] += totals[name];
    }
  }

  get #signal(): { signal?: AbortSignal } {
    const { signal } = this.#parts;
    return signal === undefined ? {} : { signal };
  }
}

/** The rows of a directory, one after the other. */
class Rows {
  readonly #from: Directory;
  #row = 0;
  #directories = 0;

  constructor(from: Directory) {
    this.#from = from;
  }

  /** Whether there are no more. */
  get isDone(): boolean {
    return this.#row === this.#from.tree.count;
  }

  /** Compares the next names: above 0 if the one here comes first, below if the other does. */
  compare(other: Rows): number {
    if (this.isDone) return -1;
    if (other.isDone) return 1;
    const { tree } = this.#from, row = this.#row;
    const start = tree.nameStart(row), end = tree.nameEnd(row);
    return other.#from.tree.compareName(other.#row, tree.bytes, start, end);
  }

  /** Gives the next row. */
  take(): PickedRow {
    const from = this.#from, row = this.#row++;
    if (from.tree.kind(row) !== EntryKind.directory) return { from, row };
    const ids = new Uint8Array(2 * ID_SIZE);
    ids.set(from.tree.idBytes(row));
    ids.set(from.page.pageIdBytes(this.#directories++), ID_SIZE);
    return { from, row, ids };
  }
}

function checkPointer(path: Uint8Array, { pointer }: OverlayMarks): void {
  if (pointer === undefined) return;
  throw new OverlayError(
    `Cannot save ${
      displayPath(path)
    }: it was written with ${pointer}, and its content lies elsewhere`,
    "an overlay to be saved is mounted with redirect_dir=off and metacopy=off",
  );
}
