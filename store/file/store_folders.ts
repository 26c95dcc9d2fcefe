/** The folders of a file store: making them, and keeping them durable. */
import { makeFolder, syncFolder } from "./durable_file.ts";
import { eachOf } from "../each.ts";
import { type FileCalls, saysAbsent } from "./file_calls.ts";
import { isStoreName } from "../store_name.ts";

const SYNC_CONCURRENCY = 16;
/** The folders that every store has from its start, those above others first. */
export const FIXED_FOLDERS: readonly string[] = [
  "config",
  "index",
  "packs",
  "snapshots",
  "tags",
  ...Array.from(
    { length: 256 },
    (_, i) => `packs/${i.toString(16).padStart(2, "0")}`,
  ),
];
/** Names that may stand in the folder of a store, also of one half made. */
export const ROOT_NAMES: ReadonlySet<string> = new Set([
  "config",
  "forgotten",
  "gc",
  "index",
  "leases",
  "listing",
  "listings",
  "lost+found",
  "packs",
  "snapshots",
  "tags",
  "tmp",
]);

/** The folder that holds a name; "" is the folder of the store. */
export function folderOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf("/")));
}

/**
 * Changes of a folder that are further apart have other times, in milliseconds: FAT knows two
 * seconds.
 */
const SETTLE_MS = 3000;

/** A folder that was made durable. */
interface SyncedFolder {
  /** Time of its last change before that. */
  readonly mtimeMs: number;
  /** When that time was first seen, by a clock that only goes forward. */
  readonly sinceMs: number;
  /** Whether it was made durable so much later that a change since would have another time. */
  readonly isSettled: boolean;
}

/** The folders of one store. */
export class StoreFolders {
  readonly #calls: FileCalls;
  readonly #root: string;
  readonly #clock: () => number;
  /** Folders of which all entries up to the root are known to be durable. */
  readonly #durable = new Set<string>(["", ...FIXED_FOLDERS]);

  /** Folders that were made durable, as they were then. */
  readonly #synced = new Map<string, SyncedFolder>();

  /**
   * Looks at nothing yet.
   *
   * @param clock A clock that only goes forward, in milliseconds.
   */
  constructor(
    calls: FileCalls,
    root: string,
    clock: () => number = () => performance.now(),
  ) {
    this.#calls = calls;
    this.#root = root;
    this.#clock = clock;
  }

  /** The path of a folder. */
  path(folder: string): string {
    return folder === "" ? this.#root : `${this.#root}/${folder}`;
  }

  /** Makes all folders of a new store, and makes them durable. */
  async makeFixed(): Promise<void> {
    for (const folder of ["tmp", ...FIXED_FOLDERS]) {
      await makeFolder(this.#calls, this.path(folder));
    }
    await syncFolder(this.#calls, this.path("packs"));
    await syncFolder(this.#calls, this.#root);
  }

  /** Makes a folder and those above it, where they are absent. */
  async make(folder: string): Promise<void> {
    if (folder === "") return;
    this.#durable.delete(folder); // Also a fixed one, which a copied store may lack.
    try {
      await makeFolder(this.#calls, this.path(folder));
    } catch (error) {
      if (!saysAbsent(error) || folderOf(folder) === "") throw error;
      await this.make(folderOf(folder));
      await makeFolder(this.#calls, this.path(folder));
    }
  }

  /** Removes a folder that was made for some names, once it has none. */
  async removeEmpty(folder: string): Promise<void> {
    if (folderOf(folder) === "" || FIXED_FOLDERS.includes(folder)) return;
    this.#durable.delete(folder);
    try {
      await this.#calls.rmdir(this.path(folder));
    } catch {
      // It has others, or another process was faster.
    }
  }

  /**
   * Makes an entry of a folder durable, and the entry of each folder above it
   * that somebody may have made a moment ago.
   */
  async settle(folder: string): Promise<void> {
    await syncFolder(this.#calls, this.path(folder));
    const settled: string[] = [];
    for (let at = folder; !this.#durable.has(at); at = folderOf(at)) {
      await syncFolder(this.#calls, this.path(folderOf(at)));
      settled.push(at);
    }
    for (const at of settled) this.#durable.add(at);
  }

  /** Makes all entries below some folders durable, whoever made them. */
  async syncBelow(
    folders: readonly string[],
    signal?: AbortSignal,
  ): Promise<void> {
    const all = new Set<string>();
    for (const folder of folders) {
      for (let at = folder; at !== ""; at = folderOf(at)) all.add(at);
      this.#addBelow(folder, all);
    }
    all.add("");
    await eachOf([...all], SYNC_CONCURRENCY, async (folder) => {
      signal?.throwIfAborted();
      try {
        await this.#sync(folder);
      } catch (error) {
        if (!saysAbsent(error)) throw error;
      }
    });
  }

  /** Makes the entries of a folder durable, unless they were made so and are still the same. */
  async #sync(folder: string): Promise<void> {
    const path = this.path(folder);
    const { mtimeMs } = this.#calls.statSync(path);
    const nowMs = this.#clock();
    const known = this.#synced.get(folder);
    const sinceMs = known?.mtimeMs === mtimeMs ? known.sinceMs : nowMs;
    if (sinceMs < nowMs && known!.isSettled) return;
    this.#synced.delete(folder);
    await syncFolder(this.#calls, path);
    const isSettled = nowMs - sinceMs >= SETTLE_MS;
    this.#synced.set(folder, { mtimeMs, sinceMs, isSettled });
  }

  #addBelow(folder: string, all: Set<string>): void {
    let entries;
    try {
      entries = this.#calls.folderSync(this.path(folder));
    } catch (error) {
      if (saysAbsent(error)) return;
      throw error;
    }
    for (const entry of entries) {
      const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (!entry.isDirectory() || !isStoreName(name)) continue;
      all.add(name);
      this.#addBelow(name, all);
    }
  }
}
