import { type SilenceReason, TreeWatch } from "@snap/disk/watch";
import { posix } from "@snap/posix";
import type { StatTable } from "@snap/posix/stat-table";
import type {
  ChangeFinder,
  ChangeSearch,
  FoundChanges,
  SeenSave,
} from "@snap/save";
import type { Id } from "@snap/hash";

/** Where the kernel is silent, a tree is looked at so often, in milliseconds. */
const SILENT_MS = 60_000;

/** Options of {@linkcode WatchFinder}. */
export interface WatchFinderOptions {
  /** Time from one walk of the whole tree to the next, in milliseconds. */
  readonly walkAgainMs: number;
  /** A clock that only goes forward, in milliseconds. */
  readonly clock: () => number;
  /** Name of files with rules of what is left out. */
  readonly ruleFile: Uint8Array | undefined;
  /** Told where the kernel is silent, once for each reason. */
  readonly onSilence?:
    | ((path: Uint8Array, reason: SilenceReason) => void)
    | undefined;
}

/** State that saves have left behind: what the tree is compared with. */
interface Kept {
  readonly record: Id;
  readonly devices: StatTable;
}

/** Finds out from the kernel's words what has changed since the save before; walks all after any doubt. */
export class WatchFinder implements ChangeFinder, Disposable {
  readonly #path: Uint8Array;
  readonly #options: WatchFinderOptions;
  #watch: TreeWatch | undefined;
  /** Absent while a save is under way, and after one that failed. */
  #kept: Kept | undefined;
  #walkedMs = -Infinity;
  #lookedMs = -Infinity;
  #isToldNoCalls = false;
  #sockets: Uint8Array[] = [];

  /** Hears of directories as they are opened. */
  readonly source: ChangeFinder["source"] = {
    onDirectory: (path, fd, self) => this.#watch?.add(path, fd, self),
    onSocket: (path) => void this.#sockets.push(path),
  };

  /**
   * Watches nothing yet.
   *
   * @param path The path of the tree.
   */
  constructor(path: Uint8Array, options: WatchFinderOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** Whether nothing has changed since the save before, and it need not be walked again yet. */
  get isUnchanged(): boolean {
    return this.#isWatched() && !this.#watch!.isSilent &&
      !this.#watch!.hasNews();
  }

  /**
   * Gives what tells of a directory whether it is as the last save has found it.
   *
   * @returns Nothing where that is not known.
   */
  untouched(): ((path: Uint8Array) => boolean) | undefined {
    const watch = this.#watch;
    if (!this.#isWatched() || watch === undefined || watch.isSilent) {
      return undefined;
    }
    watch.hasNews();
    return watch.doubt === undefined
      ? (path) => watch.isUntouched(path)
      : undefined;
  }

  /** Whether it is time to look at the tree, whatever was told. */
  get isLookDue(): boolean {
    const { clock, walkAgainMs } = this.#options;
    const isSilent = this.#watch === undefined || this.#watch.isSilent;
    const ms = isSilent ? Math.min(SILENT_MS, walkAgainMs) : walkAgainMs;
    return clock() - (isSilent ? this.#lookedMs : this.#walkedMs) >= ms;
  }

  /**
   * Tells how many changes were told since the last walk of all.
   *
   * @returns Their number, `undefined` if none was told since the last save.
   */
  get changeCount(): number | undefined {
    return this.#watch?.hasNews() ? this.#watch.changeCount : undefined;
  }

  /** Takes in what was told, so that the kernel has room for more. */
  read(): void {
    this.#watch?.read();
  }

  /** @inheritDoc */
  find(_search: ChangeSearch): Promise<FoundChanges> {
    this.#lookedMs = this.#options.clock();
    const isKnown = this.#isWatched();
    const watch = isKnown ? this.#watch! : this.#begin();
    // In this order: what is told from here on is looked at by the next save.
    if (isKnown) watch?.hasNews();
    watch?.beginRound();
    const known = isKnown && {
      ...this.#kept!,
      isSame: (path: Uint8Array) => watch!.isSame(path),
    };
    this.#kept = undefined;
    this.#sockets = [];
    return Promise.resolve({
      known: known || undefined,
      keep: (seen: SeenSave) => Promise.resolve(this.#keep(seen)),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  }

  /** Listens no more. */
  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
    this.#kept = undefined;
  }

  #isWatched(): boolean {
    const { clock, walkAgainMs } = this.#options;
    return this.#kept !== undefined && this.#watch?.doubt === undefined &&
      clock() - this.#walkedMs < walkAgainMs;
  }

  #begin(): TreeWatch | undefined {
    this[Symbol.dispose]();
    this.#walkedMs = this.#options.clock();
    if (posix === undefined) {
      this.#tellNoCalls();
      return undefined;
    }
    return this.#watch = new TreeWatch(this.#path, this.#options);
  }

  #tellNoCalls(): void {
    if (this.#isToldNoCalls) return;
    this.#isToldNoCalls = true;
    this.#options.onSilence?.(new Uint8Array(0), "native-calls");
  }

  /** Keeps what the next save is compared with; what has to be told again is looked at again. */
  #keep(
    { record, devices, errors, errorCount, changed, changedCount, unreal }:
      SeenSave,
  ): void {
    const watch = this.#watch;
    const isAllTold = errorCount === errors.length &&
      changedCount === changed.length && unreal.length === 0;
    if (watch === undefined || !isAllTold) return;
    for (const { path } of errors) watch.mark(path);
    for (const path of [...changed, ...this.#sockets]) watch.mark(path);
    this.#kept = { record: record.record, devices };
  }
}
