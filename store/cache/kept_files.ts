import { unlinkSync } from "node:fs";
import { join } from "node:path";
import { evict } from "./evict.ts";
import type { CacheFigures } from "./figures.ts";
import {
  KEPT_SIZE_MAX,
  type KeptBytes,
  type KeptPart,
  type KeptRange,
  nothingOf,
  readKept,
  writeKept,
} from "./kept_file.ts";

/** Bytes that wait to be written at most: what is more is not kept. */
const WAITING_MAX = 64 << 20;
/** Room is looked for each time that so many bytes were kept, or a part of the budget. */
const EVICT_STEP = 64 << 20;
const EVICT_PART = 16;
/** The time of the last use is set so often at most, in milliseconds. */
const USED_MS = 60_000;
/** Files whose last use is remembered. */
const USED_MAX = 4096;

/** Parts of {@link KeptFiles}. */
export interface KeptFilesOptions {
  /** The folder of all caches. */
  readonly root: string;
  /** The folder of this one. */
  readonly folder: string;
  /** Most bytes of disk of all. */
  readonly budget: number | undefined;
  readonly figures: CacheFigures;
}

/**
 * The files of one cache. Nothing here fails: what cannot be read is not there,
 * and what cannot be written is not kept.
 */
export class KeptFiles {
  readonly #options: KeptFilesOptions;
  readonly #used = new Map<string, number>();
  #writing: Promise<void> = Promise.resolve();
  #waiting = 0;
  /** Bytes kept since room was looked for. */
  #kept = 0;

  constructor(options: KeptFilesOptions) {
    this.#options = options;
  }

  /**
   * Gives the part of a range that is there, which may be nothing.
   *
   * @returns Undefined where the end of the range is not known, or too far.
   */
  look(name: string, range: KeptRange): KeptBytes | undefined {
    try {
      return readKept(this.#path(name), range, this.#isUseNew(name));
    } catch (error) {
      if (error instanceof RangeError) this.drop(name);
      return nothingOf(range);
    }
  }

  /** Removes a file that is damaged, or gone from the store. */
  drop(name: string): void {
    try {
      unlinkSync(this.#path(name));
      this.#options.figures.dropped++;
    } catch {
      // It is gone, or cannot be removed: then it is read again, and found damaged again.
    }
  }

  /** Writes bytes, which must not change any more; resolves when that is done, or not done. */
  async keep(name: string, part: KeptPart): Promise<void> {
    const { figures } = this.#options;
    const { length } = part.bytes;
    const isTooMuch = this.#waiting + length > WAITING_MAX ||
      part.start + length > KEPT_SIZE_MAX;
    if (isTooMuch || figures.failure !== undefined) return;
    this.#waiting += length;
    const written = this.#writing.then(async () => {
      await this.#write(name, part);
      this.#waiting -= length;
    });
    this.#writing = written;
    await written;
  }

  /** Waits until all is written. */
  async written(): Promise<void> {
    await this.#writing;
  }

  /** Waits until all is written, and makes room now and then. */
  async settle(): Promise<void> {
    await this.written();
    // So that many small programs make room as often as a large one.
    if (Math.random() * this.#evictStep < this.#kept) await this.#evict();
  }

  #path(name: string): string {
    return join(this.#options.folder, name);
  }

  /** Whether a file was not used for a while, as far as is remembered. */
  #isUseNew(name: string): boolean {
    const now = performance.now();
    if (now - (this.#used.get(name) ?? -Infinity) < USED_MS) return false;
    if (this.#used.size >= USED_MAX) this.#used.clear();
    this.#used.set(name, now);
    return true;
  }

  async #write(name: string, part: KeptPart): Promise<void> {
    const { figures } = this.#options;
    if (figures.failure !== undefined) return;
    try {
      await writeKept(this.#path(name), part);
      figures.bytesKept += part.bytes.length;
      this.#kept += part.bytes.length;
      if (this.#kept >= this.#evictStep) await this.#evict();
    } catch (error) {
      if (error instanceof RangeError) this.drop(name);
      else await this.#fail(error);
    }
  }

  /** Makes room on a full disk; where there is none, nothing is kept any more. */
  async #fail(error: unknown): Promise<void> {
    const { code } = error as { code?: unknown };
    if (code === "ENOENT") return; // Somebody removes the cache.
    const isFull = code === "ENOSPC" || code === "EDQUOT";
    if (isFull && await this.#evict() > 0) return;
    this.#options.figures.failure = error;
  }

  get #evictStep(): number {
    const { budget = Infinity } = this.#options;
    return Math.min(EVICT_STEP, budget / EVICT_PART);
  }

  async #evict(): Promise<number> {
    const { root, budget, figures } = this.#options;
    this.#kept = 0;
    // Somebody may remove the cache, too.
    const freed = await evict(root, budget).catch(() => 0);
    figures.bytesEvicted += freed;
    return freed;
  }
}
