// A store as a process sees it: each call is a turn of the schedule, and may go wrong.
import { readFileSync, rmSync } from "node:fs";
import {
  type PruneStore,
  type ReadOptions,
  type StoreAction,
  type StoreEntry,
  StoreError,
  type StoreOptions,
} from "@snap/store";
import { MemoryStore } from "@snap/store/memory";
import type { Faults } from "./faults.ts";
import type { Oracle } from "./oracle.ts";
import type { Process, Scheduler } from "./scheduler.ts";

/** How long a list may be behind, in milliseconds. */
const STALE_MS = 500;

/** What lies in one place, whatever becomes of the processes that use it. */
export class Disk {
  readonly name: string;
  readonly files: MemoryStore = new MemoryStore();
  /** Packs that were removed. */
  removedPackCount = 0;
  /** When each name was made. */
  readonly #times = new Map<string, number>();
  readonly #oracle: Oracle | undefined;
  readonly #scheduler: Scheduler;

  /**
   * @param oracle What judges each change; none where a liar lives.
   */
  constructor(name: string, scheduler: Scheduler, oracle?: Oracle) {
    this.name = name;
    this.#scheduler = scheduler;
    this.#oracle = oracle;
  }

  async create(name: string, bytes: Uint8Array): Promise<boolean> {
    const isNew = await this.files.create(name, bytes);
    if (!isNew) return false;
    this.#times.set(name, this.#scheduler.now);
    this.#judge(() => this.#oracle?.created(name, bytes.slice()));
    return true;
  }

  /** Says that somebody was told of a record. */
  acknowledged(name: string): void {
    this.#judge(() => this.#oracle?.acknowledged(name));
  }

  /** Sees that nothing is left that no record needs. */
  checkClean(): void {
    this.#judge(() => this.#oracle?.checkClean());
  }

  async remove(name: string): Promise<void> {
    if (await this.files.size(name) === undefined) return;
    await this.files.remove(name);
    if (name.startsWith("packs/")) this.removedPackCount++;
    this.#judge(() => this.#oracle?.removed(name));
  }

  /** Entries by a prefix, but those that came in the last milliseconds. */
  async list(prefix: string, staleMs: number): Promise<StoreEntry[]> {
    const entries: StoreEntry[] = [];
    for await (const batch of this.files.list(prefix)) entries.push(...batch);
    const last = this.#scheduler.now - staleMs;
    return entries.filter(({ name }) =>
      staleMs === 0 || (this.#times.get(name) ?? 0) <= last
    );
  }

  #judge(look: () => void): void {
    try {
      look();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      this.#scheduler.violate(`In store ${this.name}: ${reason}`, cause);
    }
  }
}

/** What a {@linkcode SimStore} is made of. */
export interface SimStoreParts {
  readonly disk: Disk;
  readonly process: Process;
  readonly scheduler: Scheduler;
  /** None where nothing goes wrong. */
  readonly faults?: Faults;
  /** A folder for files on their way. */
  readonly folder: string;
}

/** A store that a process has open. */
export class SimStore implements PruneStore {
  /** Where its files lie. */
  readonly disk: Disk;
  readonly #parts: SimStoreParts;
  #spoolCount = 0;

  constructor(parts: SimStoreParts) {
    this.#parts = parts;
    this.disk = parts.disk;
  }

  async read(name: string, options?: ReadOptions): Promise<Uint8Array> {
    const { disk, faults } = this.#parts;
    await this.#turn("read", name, options);
    if (faults?.strikes("store.read.fail")) throw failure("EIO", "read", name);
    const { offset, length, sizeMax } = options ?? {};
    const bytes = await disk.files.read(name, {
      ...(offset === undefined ? {} : { offset }),
      ...(length === undefined ? {} : { length }),
      ...(sizeMax === undefined ? {} : { sizeMax }),
    });
    if (bytes.length === 0) return bytes;
    if (faults?.strikes("store.read.cut")) {
      // A store knows how much it was asked for, but not how much there is.
      if (length !== undefined) throw failure("SHORT", "read", name);
      return bytes.slice(0, faults.below(bytes.length));
    }
    if (faults?.strikes("store.read.flip")) {
      bytes[faults.below(bytes.length)] ^= 1 << faults.below(8);
    }
    return bytes;
  }

  async size(
    name: string,
    options?: StoreOptions,
  ): Promise<number | undefined> {
    const { disk, faults } = this.#parts;
    await this.#turn("size", name, options);
    if (faults?.strikes("store.read.fail")) throw failure("EIO", "size", name);
    return await disk.files.size(name);
  }

  async *list(
    prefix: string,
    options?: StoreOptions,
  ): AsyncGenerator<StoreEntry[]> {
    const { disk, faults } = this.#parts;
    await this.#turn("list", prefix, options);
    if (faults?.strikes("store.list.fail")) {
      throw failure("EIO", "list", prefix);
    }
    const isStale = faults?.strikes("store.list.stale") ?? false;
    const entries = await disk.list(prefix, isStale ? STALE_MS : 0);
    if (entries.length > 0) yield entries;
  }

  async create(
    name: string,
    bytes: Uint8Array,
    options?: StoreOptions,
  ): Promise<boolean> {
    const { disk, faults, process } = this.#parts;
    // Whoever called may use the bytes for something else.
    const copy = bytes.slice();
    await this.#turn("create", name, options);
    if (faults?.strikes("store.create.fail")) {
      throw failure("EIO", "create", name);
    }
    if (faults?.strikes("store.create.full")) {
      throw failure("ENOSPC", "create", name);
    }
    const isNew = await disk.create(name, copy);
    if (name.startsWith("snapshots/")) process.records.push({ disk, name });
    if (faults?.strikes("store.create.lost")) {
      throw failure("ECONNRESET", "create", name);
    }
    // The answer to the first of two attempts was lost on its way.
    if (faults?.strikes("store.create.twice")) return false;
    return isNew;
  }

  async adopt(
    name: string,
    path: string,
    options?: StoreOptions,
  ): Promise<boolean> {
    const bytes = new Uint8Array(readFileSync(path));
    rmSync(path);
    return await this.create(name, bytes, options);
  }

  spoolPath(saveId: string): string {
    const { folder, process } = this.#parts;
    return `${folder}/${saveId}-${process.name}${this.#spoolCount++}`;
  }

  async sync(prefixes: string[], options?: StoreOptions): Promise<void> {
    await this.#turn("sync", prefixes.join(" "), options);
    if (this.#parts.faults?.strikes("store.sync.fail")) {
      throw failure("EIO", "sync", prefixes.join(" "));
    }
  }

  async remove(name: string, options?: StoreOptions): Promise<void> {
    const { disk, faults } = this.#parts;
    await this.#turn("remove", name, options);
    if (faults?.strikes("store.remove.fail")) {
      throw failure("EIO", "remove", name);
    }
    await disk.remove(name);
    if (faults?.strikes("store.remove.lost")) {
      throw failure("ECONNRESET", "remove", name);
    }
  }

  async #turn(
    action: StoreAction,
    name: string,
    options: StoreOptions | undefined,
  ): Promise<void> {
    options?.signal?.throwIfAborted();
    const { scheduler, process, disk } = this.#parts;
    await scheduler.turn(process, `${disk.name} ${action} ${name}`);
    options?.signal?.throwIfAborted();
  }
}

function failure(
  code: string,
  action: StoreAction,
  storeName: string,
): StoreError {
  const message = `Cannot ${action} ${storeName}: the simulation wants it so`;
  return new StoreError(message, { code, action, storeName });
}
