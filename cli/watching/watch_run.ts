import { type FileIdentity, identifyPath, isSame } from "@snap/disk/source";
import type { SilenceReason } from "@snap/disk/watch";
import type { RetentionRules } from "@snap/maintenance/forget";
import type { SaveOptions } from "@snap/save";
import type { Snapshots } from "@snap/snapshot";
import type { NamedRecord } from "@snap/snapshot/records";
import type { PruneStore } from "@snap/store";
import { posixAbsentReason } from "@snap/posix";
import { Workspace } from "@snap/workspace";
import { displayPath } from "@snap/manifest/path";
import { tagSaved, tellSave } from "../commands/save.ts";
import { CommandError } from "../command_error.ts";
import { InterruptError } from "../context.ts";
import { ExitCode } from "../exit_code.ts";
import type { Session } from "../session.ts";
import type { OpenedStore } from "../stores/opened_store.ts";
import { renewListing } from "../stores/renew_listing.ts";
import { formatCounted } from "../terminal/units.ts";
import { forgetOld } from "./forget_old.ts";

/** Rules are applied so often at most, in milliseconds, and at the end: all records are read for it. */
const FORGET_MS = 60_000;

const SILENCE: Readonly<Record<SilenceReason, string>> = {
  "file-system": "its file system does not tell of all changes",
  "watch-limit":
    "all watches are in use (sysctl fs.inotify.max_user_watches is the limit)",
  "watch-failure": "it cannot be watched",
  "native-calls": posixAbsentReason ?? "there are no native calls",
};

/** Parts of {@linkcode WatchRun}. */
export interface WatchRunOptions {
  readonly session: Session;
  readonly snapshots: Snapshots<PruneStore>;
  readonly opened: OpenedStore;
  /** The directory. */
  readonly path: string;
  /** How it is saved. */
  readonly options: SaveOptions;
  /** What is kept; everything if absent. */
  readonly rules: RetentionRules | undefined;
  /** Time without a change before a save, in milliseconds. */
  readonly quietMs: number;
  /** Time after a change at which it is saved all the same, in milliseconds. */
  readonly waitMaxMs: number;
}

/** Saves a directory whenever it has changed and is quiet, until a signal comes. */
export class WatchRun {
  readonly #options: WatchRunOptions;
  readonly #workspace: Workspace;
  /** Given by the first signal: what has changed is saved once more. */
  readonly #ending = new AbortController();
  /** Given by the next one. */
  readonly #aborting = new AbortController();
  readonly #signal: AbortSignal;
  readonly #identity: FileIdentity | undefined;
  #unruled: NamedRecord | undefined;
  #ruledMs = -Infinity;
  #exitCode: number = ExitCode.done;

  /** Saves nothing yet. */
  constructor(options: WatchRunOptions) {
    this.#options = options;
    const { session, snapshots, path } = options;
    const { onProgress: _, signal: _none, message: _no, ...same } =
      options.options;
    this.#identity = identifyPath(path);
    this.#signal = AbortSignal.any([this.#aborting.signal, session.signal]);
    this.#workspace = new Workspace(snapshots, path, {
      ...same,
      onSilence: (path, reason) => this.#tellSilence(path, reason),
    });
  }

  /**
   * Saves at once, and then after each change.
   *
   * @returns The answer to the shell: that of the last save.
   */
  async run(): Promise<number> {
    const { quietMs, waitMaxMs, session } = this.#options;
    const giveBack = session.context.takeSignals?.((name, exitCode) => {
      if (!this.#ending.signal.aborted) return this.#ending.abort();
      this.#aborting.abort(new InterruptError(name, exitCode));
    });
    const signal = AbortSignal.any([this.#ending.signal, this.#signal]);
    try {
      for (let isFirst = true;; isFirst = false) {
        const isLast = this.#ending.signal.aborted;
        await this.#save(isFirst);
        await this.#forget(isLast);
        if (isLast) return this.#exitCode;
        await this.#workspace.settle({ quietMs, waitMaxMs, signal }).catch(
          (error) => {
            if (!this.#ending.signal.aborted) throw error;
          },
        );
      }
    } finally {
      giveBack?.();
      await this.#workspace[Symbol.asyncDispose]();
    }
  }

  async #save(isFirst: boolean): Promise<void> {
    const { session, snapshots, opened, options } = this.#options;
    const { onProgress } = options;
    if (!isFirst) this.#checkIdentity();
    const startMs = performance.now();
    const result = await this.#workspace.save({
      onProgress,
      signal: this.#signal,
    });
    session.clearProgress();
    if (!isFirst && !result.isNewRecord) return;
    await tagSaved(session, snapshots, result);
    await renewListing(session, opened);
    const tag = session.args.text("tag");
    const { savedFields } = await import("@snap/save");
    const record = { type: "saved", ...savedFields(result), tag };
    await session.result(result.id, record);
    await session.flush();
    const ms = performance.now() - startMs;
    this.#exitCode = await tellSave(session, result, ms);
    this.#unruled = result.record;
  }

  /** What was under the path may be unmounted: what lies beneath is no later state of it. */
  #checkIdentity(): void {
    const { path } = this.#options;
    const identity = identifyPath(path);
    // That nothing is there the save says.
    if (identity === undefined || isSame(identity, this.#identity)) return;
    throw new CommandError(
      `Cannot go on watching ${path}: another directory is there`,
      "it was replaced, or its file system was unmounted; start again to watch what is there now",
    );
  }

  /** Forgets by the rules what the last saves have replaced. */
  async #forget(isLast: boolean): Promise<void> {
    const { rules, session, snapshots } = this.#options;
    const record = this.#unruled;
    if (rules === undefined || record === undefined) return;
    const now = performance.now();
    if (!isLast && now - this.#ruledMs < FORGET_MS) return;
    this.#ruledMs = now;
    this.#unruled = undefined;
    const count = await forgetOld(snapshots, rules, {
      like: record,
      signal: this.#signal,
    });
    if (count > 0) session.note(`Forgot ${formatCounted(count, "record")}`);
  }

  #tellSilence(path: Uint8Array, reason: SilenceReason): void {
    const { session, path: root } = this.#options;
    const where = path.length === 0 ? root : `${root}/${displayPath(path)}`;
    session.warn(
      `Cannot be told of changes of ${where}, and look at it each minute: ${
        SILENCE[reason]
      }`,
    );
  }
}
