// A store far away, without a clock: requests wait until nothing else happens, then
// all that wait are answered at once. Each time is a wave; a command that takes
// W waves would take W round trips of any length.
import { adoptFile, spoolPathOf } from "@snap/store/owner";
import type {
  PruneStore,
  ReadOptions,
  StoreEntry,
  StoreOptions,
} from "@snap/store";

/** Requests that are answered in waves. */
export class Waves {
  /**
   * Turns of the event loop in which no request begins before a wave is answered:
   * more where something else, such as a disk, is waited for meanwhile.
   */
  quietTurns = 6;
  /** Waves since the last reset. */
  waveCount = 0;
  /** Requests since the last reset. */
  callCount = 0;
  #waiting: (() => void)[] = [];
  #isWatching = false;

  /** Begins to count anew. */
  reset(): void {
    this.waveCount = this.callCount = 0;
  }

  /** Waits for the next wave. */
  wave(): Promise<void> {
    this.callCount++;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    if (!this.#isWatching) {
      this.#isWatching = true;
      this.#watch(0, 1);
    }
    return promise;
  }

  /** Answers once no request has begun for a few turns of the event loop. */
  #watch(quietTurns: number, count: number): void {
    setTimeout(() => {
      const now = this.#waiting.length;
      if (now > count || quietTurns < this.quietTurns) {
        this.#watch(now > count ? 0 : quietTurns + 1, now);
        return;
      }
      this.#isWatching = false;
      this.waveCount++;
      for (const answer of this.#waiting.splice(0)) answer();
    });
  }
}

/** A store whose reads are answered in waves. */
export class FarStore extends Waves implements PruneStore {
  /** Bytes read since the last reset. */
  readByteCount = 0;
  /** Reads since the last reset. */
  readCount = 0;
  readonly #store: PruneStore;

  constructor(store: PruneStore) {
    super();
    this.#store = store;
  }

  override reset(): void {
    super.reset();
    this.readByteCount = this.readCount = 0;
  }

  async read(name: string, options?: ReadOptions): Promise<Uint8Array> {
    await this.wave();
    const bytes = await this.#store.read(name, options);
    this.readCount++;
    this.readByteCount += bytes.length;
    return bytes;
  }

  async size(
    name: string,
    options?: StoreOptions,
  ): Promise<number | undefined> {
    await this.wave();
    return await this.#store.size(name, options);
  }

  async *list(
    prefix: string,
    options?: StoreOptions,
  ): AsyncIterable<StoreEntry[]> {
    await this.wave();
    yield* this.#store.list(prefix, options);
  }

  async create(
    name: string,
    bytes: Uint8Array,
    options?: StoreOptions,
  ): Promise<boolean> {
    await this.wave();
    return await this.#store.create(name, bytes, options);
  }

  async adopt(
    name: string,
    path: string,
    options?: StoreOptions,
  ): Promise<boolean> {
    await this.wave();
    return await adoptFile(this.#store, { name, path }, options);
  }

  spoolPath(saveId: string): string | Promise<string> {
    return spoolPathOf(this.#store, saveId);
  }

  async remove(name: string, options?: StoreOptions): Promise<void> {
    await this.wave();
    await this.#store.remove(name, options);
  }

  sync(prefixes: string[], options?: StoreOptions): Promise<void> {
    return this.#store.sync(prefixes, options);
  }
}
