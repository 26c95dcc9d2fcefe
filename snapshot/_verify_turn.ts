import { Breath } from "./_breath.ts";
import type { DamageLog } from "./_damage_log.ts";
import { PROGRESS_INTERVAL_MS } from "./save_progress.ts";
import { newVerifyProgress, type VerifyProgress } from "./verify_progress.ts";

/** Counters, and the turns in which others hear of them. */
export class VerifyTurn {
  readonly counts: VerifyProgress = newVerifyProgress();
  readonly #log: DamageLog;
  readonly #breath = new Breath();
  readonly #signal: AbortSignal | undefined;
  readonly #onProgress: ((progress: VerifyProgress) => void) | undefined;
  #toldMs = -Infinity;

  constructor(
    log: DamageLog,
    options: {
      readonly signal?: AbortSignal;
      readonly onProgress?: (progress: VerifyProgress) => void;
    },
  ) {
    this.#log = log;
    this.#signal = options.signal;
    this.#onProgress = options.onProgress;
  }

  /** Whether it is time for {@linkcode VerifyTurn.take}. */
  isDue(): boolean {
    return this.#breath.isDue();
  }

  /** Tells of the progress, and lets the event loop run. */
  async take(): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.#toldMs >= PROGRESS_INTERVAL_MS) {
      this.#toldMs = nowMs;
      this.tell();
    }
    await this.#breath.take(this.#signal);
  }

  /** Tells of the progress. */
  tell(): void {
    this.counts.damageCount = this.#log.count;
    this.#onProgress?.({ ...this.counts });
  }
}
