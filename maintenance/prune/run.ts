import { PROGRESS_INTERVAL_MS } from "@snap/posix/pacer";
import { randomBytes } from "@snap/pack/write";
import type { StoreEntry, StoreOptions } from "@snap/store";
import type { IdSet } from "@snap/snapshot/reach";
import { type PruneHolder, readHolder } from "./leases.ts";
import { type Marked, markNeeded } from "./mark.ts";
import type { PruneOptions, PruneSource } from "./options.ts";
import { newReport, type PruneProgress, type PruneReport } from "./report.ts";

/** What all steps of one run of prune share. */
export class PruneRun {
  readonly source: PruneSource;
  readonly options: PruneOptions;
  /** Options of each call of the store. */
  readonly storeOptions: StoreOptions;
  readonly report: PruneReport = newReport();
  readonly random: (size: number) => Uint8Array;
  readonly now: () => number;
  readonly #despite: ReadonlySet<string>;
  readonly #forgotten: ReadonlySet<string>;
  #toldMs = -Infinity;

  constructor(source: PruneSource, options: PruneOptions) {
    const { signal, now = Date.now, random = randomBytes } = options;
    this.source = source;
    this.options = options;
    this.storeOptions = { signal };
    this.random = random;
    this.now = now;
    this.#despite = new Set(options.despite);
    this.#forgotten = new Set(options.forgotten);
  }

  /** Whether all that the records need is there, where nothing was thrown. */
  get isStrict(): boolean {
    return this.#despite.size === 0;
  }

  /** Marks what the records need. */
  async mark(
    what: {
      readonly condemned: ReadonlySet<string>;
      readonly bad: ReadonlySet<string>;
      readonly seen?: IdSet | undefined;
    },
  ): Promise<Marked> {
    const { store, hasher } = this.source;
    const marked = await markNeeded(store, {
      ...this.storeOptions,
      ...what,
      hasher,
      despite: this.#despite,
      forgotten: this.#forgotten,
      onProgress: (doneCount, totalCount) =>
        this.progress({ phase: "mark", doneCount, totalCount }),
    });
    if (what.seen === undefined) {
      this.report.recordCount = marked.recordCount;
      this.report.objectCount = marked.marks.objectCount;
    }
    return marked;
  }

  /** Adds packs that were removed to the report. */
  tellRemoved(packs: readonly StoreEntry[]): void {
    this.report.removedPackCount += packs.length;
    for (const { size } of packs) this.report.removedByteCount += size;
  }

  /** Puts those into the report who are waited for. */
  async tellWaiting(saveIds: readonly string[]): Promise<void> {
    const holders: PruneHolder[] = [];
    for (const saveId of saveIds) {
      const { store } = this.source;
      holders.push(await readHolder(store, saveId, this.storeOptions));
    }
    this.report.waitingFor = holders;
  }

  /** Tells how far it is, but not too often. */
  progress(
    progress: Partial<PruneProgress> & Pick<PruneProgress, "phase">,
  ): void {
    const nowMs = performance.now();
    if (nowMs - this.#toldMs < PROGRESS_INTERVAL_MS) return;
    this.#toldMs = nowMs;
    const none = {
      doneCount: 0,
      totalCount: 0,
      byteCount: 0,
      totalByteCount: 0,
    };
    this.options.onProgress?.({ ...none, ...progress });
  }
}
