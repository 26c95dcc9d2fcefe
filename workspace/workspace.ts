import { IgnoreRules } from "@snap/disk/ignore";
import type { SilenceReason } from "@snap/disk/watch";
import {
  restore,
  type RestoreOptions,
  type RestoreResult,
} from "@snap/restore";
import {
  type RecordedSave,
  save,
  SaveMemory,
  type SaveOptions,
} from "@snap/save";
import { checkTextOrBytes } from "@snap/hash";
import { checkSnapshots, type Snapshots } from "@snap/snapshot";
import { type NamedRecord, recordStands } from "@snap/snapshot/records";
import type { WriteStore } from "@snap/store";
import { setTimeout as sleep } from "node:timers/promises";
import { SavedDirectories } from "./saved_directories.ts";
import { WatchFinder } from "./watch_finder.ts";

/** What the kernel has told is taken in so often, in milliseconds: its room is bounded. */
const READ_MS = 1000;
/** Who waits for quiet looks so often, in milliseconds. */
const LOOK_MS = 500;
/** The tree is walked all the same after so many milliseconds. */
const WALK_AGAIN_MS = 10 * 60_000;

/** Ids of new objects for which a save after the first one makes room at a time. */
const CLAIM_SLOTS = 1 << 14;

/** Options of {@linkcode Workspace}: those of a save that are the same each time. */
export interface WorkspaceOptions extends
  Pick<
    SaveOptions,
    | "workers"
    | "host"
    | "user"
    | "program"
    | "ignore"
    | "oneFileSystem"
    | "trustStat"
    | "onDamage"
    | "random"
    | "now"
  > {
  /**
   * Time from one walk of the whole directory to the next, in milliseconds.
   *
   * @default {600000}
   */
  walkAgainMs?: number;
  /** Told, once for each reason, that a part of the directory is looked at by each save. */
  onSilence?: (path: Uint8Array, reason: SilenceReason) => void;
  /** A clock that only goes forward, in milliseconds. */
  clock?: () => number;
}

/** Options of {@linkcode Workspace.save}. */
export type WorkspaceSaveOptions = Pick<
  SaveOptions,
  "message" | "signal" | "onProgress"
>;

/** Options of {@linkcode Workspace.restore}. */
export type WorkspaceRestoreOptions = Omit<
  RestoreOptions,
  "existing" | "known" | "path"
>;

/** Options of {@linkcode Workspace.settle}. */
export interface SettleOptions {
  /** Time without a change after which it is quiet, in milliseconds. */
  quietMs: number;
  /** Time after the first change at which nobody waits any longer, in milliseconds. */
  waitMaxMs: number;
  /** Ends the waiting. */
  signal?: AbortSignal | undefined;
}

/**
 * A directory of which a process keeps in mind what was saved last. The kernel tells what changes
 * (inotify), so a save opens those directories and no other, and a restore, too. The kernel's word
 * is a hint: after any doubt, at the start and every ten minutes all is walked. What is saved is
 * what a walk would save.
 */
export class Workspace implements AsyncDisposable {
  readonly #snapshots: Snapshots<WriteStore>;
  readonly #path: Uint8Array;
  readonly #options: WorkspaceOptions;
  readonly #finder: WatchFinder;
  readonly #memory = new SaveMemory();
  readonly #over = new AbortController();
  #reading: Promise<void> | undefined;
  /** The save or restore before, which the next one waits for. */
  #before: Promise<unknown> = Promise.resolve();
  #last: RecordedSave | undefined;

  /**
   * Looks at nothing yet.
   *
   * @param snapshots The store to save into; whoever opened it closes it after the workspace.
   * @param path The directory.
   * @param options What each save is told.
   */
  constructor(
    snapshots: Snapshots<WriteStore>,
    path: string | Uint8Array,
    options: WorkspaceOptions = {},
  ) {
    const action = "make a workspace";
    checkSnapshots(snapshots, action);
    checkTextOrBytes({ path }, action);
    this.#snapshots = snapshots;
    this.#path = typeof path === "string"
      ? new TextEncoder().encode(path)
      : path.slice();
    this.#options = options;
    this.#finder = new WatchFinder(this.#path, {
      walkAgainMs: options.walkAgainMs ?? WALK_AGAIN_MS,
      clock: options.clock ?? monotonicMs,
      ruleFile: (options.ignore ?? new IgnoreRules()).fileName,
      onSilence: options.onSilence,
    });
  }

  /**
   * Saves the directory. Where nothing has changed, the snapshot before is looked for and given
   * again.
   *
   * @param options The description, and who is told how far it is.
   * @returns The snapshot, as of `save`.
   * @throws {DiskError} If the directory itself cannot be read.
   * @throws {StoreError} If the store fails; nothing half-written stays behind.
   */
  save(options: WorkspaceSaveOptions = {}): Promise<RecordedSave> {
    return this.#inTurn(() => this.#save(options));
  }

  /**
   * Brings the directory to what a snapshot says. What has no place in it is removed, also what
   * rules leave out of saves, unless `delete` is false; what was not saved is lost.
   *
   * @param record The snapshot.
   * @param options Whether anything is removed, who is told what, and how far it is.
   * @returns What was done, with the errors of single entries.
   * @throws {DiskError} If the directory cannot be opened or is full.
   * @throws {StoreError} If the store fails.
   */
  restore(
    record: NamedRecord,
    options: WorkspaceRestoreOptions = {},
  ): Promise<RestoreResult> {
    return this.#inTurn(() => this.#restore(record, options));
  }

  /**
   * Waits until something has changed since the last save, and then until it is quiet; or until it
   * is time to look at the directory all the same.
   *
   * @param options How long quiet is, and how long to wait for it.
   * @throws {Error} The reason of the signal.
   */
  async settle({ quietMs, waitMaxMs, signal }: SettleOptions): Promise<void> {
    const { clock = monotonicMs } = this.#options;
    let first: number | undefined;
    let last = 0;
    let count: number | undefined;
    for (;;) {
      signal?.throwIfAborted();
      if (this.#finder.isLookDue) return;
      const { changeCount } = this.#finder;
      const now = clock();
      if (changeCount !== count) {
        first ??= now;
        last = now;
        count = changeCount;
      }
      const isDue = first !== undefined &&
        (now - last >= quietMs || now - first >= waitMaxMs);
      if (isDue) return;
      const ms = Math.min(LOOK_MS, quietMs, waitMaxMs);
      await sleep(ms, undefined, { signal });
    }
  }

  /** Ends the watch, after the save or restore that is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Ends the watch, after the save or restore that is under way. */
  async close(): Promise<void> {
    this.#over.abort();
    await this.#before;
    await this.#reading;
    this.#finder[Symbol.dispose]();
  }

  async #save(options: WorkspaceSaveOptions): Promise<RecordedSave> {
    const last = this.#last;
    if (last !== undefined && await this.#stands(last, options)) {
      return unchanged(last);
    }
    this.#last = undefined;
    this.#reading ??= this.#read();
    const { walkAgainMs: _, onSilence: _said, clock: _clock, ...same } =
      this.#options;
    const result = await save(this.#snapshots, this.#path, {
      ...same,
      ...options,
      changes: this.#finder,
      memory: this.#memory,
      // What a save after the first one finds is little, and room for it is made each time.
      ...(last !== undefined && { claimSlots: CLAIM_SLOTS }),
    });
    return this.#last = result;
  }

  /** Opens what has changed since the last save, and what that has otherwise. */
  async #restore(
    record: NamedRecord,
    options: WorkspaceRestoreOptions,
  ): Promise<RestoreResult> {
    const snapshots = this.#snapshots;
    const saved = this.#last?.record;
    const isUntouched = saved && this.#finder.untouched();
    const known = isUntouched && new SavedDirectories(
      await snapshots.reader(),
      saved,
      isUntouched,
    );
    return await restore(snapshots, record, this.#path, {
      ...options,
      ...(known && { known }),
      existing: true,
      delete: options.delete ?? true,
    });
  }

  /** Whether the result before is that of a save now. */
  async #stands(
    { record, errorCount, changedCount }: RecordedSave,
    { message, signal }: WorkspaceSaveOptions,
  ): Promise<boolean> {
    const isWhole = errorCount === 0 && changedCount === 0;
    if (!isWhole || record === undefined || record.message !== message) {
      return false;
    }
    return this.#finder.isUnchanged &&
      await recordStands(this.#snapshots.store, record, { signal });
  }

  /** Takes in what the kernel tells, and keeps no process alive for it. */
  async #read(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      await sleep(READ_MS, undefined, { signal, ref: false }).catch(() => {});
      this.#finder.read();
    }
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    if (this.#over.signal.aborted) {
      throw new TypeError("Cannot use a workspace that is closed");
    }
    const turn = this.#before.then(act);
    this.#before = turn.catch(() => {});
    return turn;
  }
}

function monotonicMs(): number {
  return performance.now();
}

/** The result before, as one of a save that has found nothing new. */
function unchanged(last: RecordedSave): RecordedSave {
  const nothing = { readFileCount: 0, newByteCount: 0, newObjectCount: 0 };
  return {
    ...last,
    isNewRecord: false,
    hasNewAttributesOnly: false,
    storedByteCount: 0,
    indexByteCount: 0,
    progress: { ...last.progress, ...nothing },
  };
}
