import type { Target, TargetDirectory, TargetEntries } from "@snap/disk/target";
import type { Tree } from "@snap/manifest";
import { S_IFDIR, S_IFMT, S_IFREG } from "@snap/posix/constants";
import { Pacer } from "@snap/posix/pacer";
import { FilePlan } from "../messages.ts";

/**
 * Reads what stands in a directory of a target.
 *
 * @param options The target, and what ends the wait.
 * @param directory The directory; absent if it is not there, or new.
 * @param tree The entries that the snapshot has there.
 * @returns Nothing if nothing stands there.
 * @throws {DiskError} If it cannot be listed.
 */
export async function readPresent(
  options: {
    readonly target: Target | undefined;
    readonly signal: AbortSignal | undefined;
  },
  directory: TargetDirectory | undefined,
  tree: Tree,
): Promise<PresentEntries | undefined> {
  if (directory === undefined) return undefined;
  const pacer = new Pacer({ signal: options.signal });
  const entries = await pacer.run(options.target!.list(directory));
  return entries.count === 0 ? undefined : new PresentEntries(entries, tree);
}

/** Entries of a directory of the target, matched with those of the snapshot. */
export class PresentEntries {
  readonly entries: TargetEntries;
  readonly #tree: Tree;
  #next = 0;

  constructor(entries: TargetEntries, tree: Tree) {
    this.entries = entries;
    this.#tree = tree;
  }

  /**
   * Passes the next entry that the snapshot does not have.
   *
   * @param row Only if its name comes before that of this row; whatever it is at the end of the rows.
   * @returns Its name; nothing where there is none.
   */
  nextExtra(row: number): Uint8Array | undefined {
    const { names, ends, count } = this.entries;
    if (this.#next === count) return undefined;
    const start = this.#next === 0 ? 0 : ends[this.#next - 1];
    const end = ends[this.#next];
    const isBefore = row === this.#tree.count ||
      this.#tree.compareName(row, names, start, end) > 0;
    if (!isBefore) return undefined;
    this.#next++;
    return names.subarray(start, end);
  }

  /**
   * Finds what stands under the name of a row, when all before it was passed.
   *
   * @returns Its number among the entries, or -1.
   */
  find(row: number): number {
    const { names, ends, count } = this.entries;
    const at = this.#next;
    if (at === count) return -1;
    const start = at === 0 ? 0 : ends[at - 1];
    if (this.#tree.compareName(row, names, start, ends[at]) !== 0) return -1;
    this.#next++;
    return at;
  }

  /**
   * The type of an entry.
   *
   * @returns The type bits of its mode; 0 if there is none.
   */
  typeOf(present: number): number {
    return present < 0 ? 0 : this.entries.stats.mode(present) & S_IFMT;
  }

  /** Plans the action on a file. */
  plan(
    present: number,
    { size, isApart }: { readonly size: number; readonly isApart: boolean },
  ): FilePlan {
    if (present < 0) return FilePlan.create;
    const type = this.typeOf(present);
    if (type === S_IFDIR) return FilePlan.clear;
    const isAlike = type === S_IFREG && !isApart &&
      this.entries.stats.size(present) === size;
    return isAlike ? FilePlan.compare : FilePlan.replace;
  }
}
