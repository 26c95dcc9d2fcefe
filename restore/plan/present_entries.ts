import type { TargetEntries } from "@snap/disk/target";
import type { Tree } from "@snap/manifest";
import { S_IFDIR, S_IFMT, S_IFREG } from "@snap/posix/constants";
import { FilePlan } from "../messages.ts";

/** Entries of a directory of the target, matched with those of the snapshot. */
export class PresentEntries {
  readonly entries: TargetEntries;
  readonly #tree: Tree;
  readonly #onExtra: (name: Uint8Array) => void;
  #next = 0;

  constructor(
    entries: TargetEntries,
    tree: Tree,
    onExtra: (name: Uint8Array) => void,
  ) {
    this.entries = entries;
    this.#tree = tree;
    this.#onExtra = onExtra;
  }

  /**
   * Finds what stands under the name of a row. Rows must come in order.
   *
   * @returns Its number among the entries, or -1.
   */
  find(row: number): number {
    this.#passUntil(row);
    const { names, ends, count } = this.entries;
    const at = this.#next;
    if (at === count) return -1;
    const start = at === 0 ? 0 : ends[at - 1];
    if (this.#tree.compareName(row, names, start, ends[at]) !== 0) return -1;
    this.#next++;
    return at;
  }

  /** Passes all that is left. */
  finish(): void {
    this.#passUntil(undefined);
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

  #passUntil(row: number | undefined): void {
    const { names, ends, count } = this.entries;
    for (; this.#next < count; this.#next++) {
      const start = this.#next === 0 ? 0 : ends[this.#next - 1];
      const end = ends[this.#next];
      const isBefore = row === undefined ||
        this.#tree.compareName(row, names, start, end) > 0;
      if (!isBefore) return;
      this.#onExtra(names.subarray(start, end));
    }
  }
}
