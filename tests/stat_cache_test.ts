// A save with a cache of stat rows comes to what one comes to that reads everything:
// SNAP_CHANGES=2000 SNAP_SEED=7 deno test -A tests/stat_cache_test.ts
import { deepEqual, equal, ok } from "node:assert/strict";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { IgnoreRules } from "@snap/disk/ignore";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { type ChangeFinder, save, type SaveOptions } from "@snap/save";
import { StatCache } from "@snap/save/rows";
import type { Snapshots } from "@snap/snapshot";
import { formatRecordName } from "@snap/snapshot/records";
import type { PruneStore } from "@snap/store";
import { type Prng, seededTest } from "./_prng.ts";
import {
  makeMemorySnapshots,
  makeSnapshots,
  TemporaryFolder,
} from "./_snapshots.ts";
import { SourceChanges } from "./_source_changes.ts";
import { canMount, mountTmpfs, unmount } from "./_tmpfs.ts";

const CHANGE_COUNT = Number(Deno.env.get("SNAP_CHANGES") ?? 150);
const ROUND_SIZE = 25;
/** Times within the last milliseconds prove nothing, as a clock of the kernel ticks. */
const TICK_MS = 20;

const MOUNTS = canMount();

/** A source, two stores, and the cache of their saves. */
class Run implements Disposable {
  /** Saves that knew something, and those that knew everything. */
  knownCount = 0;
  sameCount = 0;
  readonly #prng: Prng;
  readonly #folder = new TemporaryFolder();
  readonly #source: SourceChanges;
  readonly #stores: Snapshots<PruneStore>[];
  #store = 0;
  #options: SaveOptions = {};
  readonly #mounts = new Set<string>();

  constructor(prng: Prng, stores: Snapshots<PruneStore>[]) {
    this.#prng = prng;
    this.#stores = stores;
    mkdirSync(this.#folder.join("source"));
    mkdirSync(this.#folder.join("cache"));
    this.#source = new SourceChanges(this.#folder.join("source"), prng);
  }

  /** Changes something, saves, and compares. */
  async step(): Promise<void> {
    const done = await this.#change();
    try {
      await this.#saveAndCompare();
    } catch (cause) {
      throw new Error(`after ${done}: ${(cause as Error).message}`, { cause });
    }
  }

  async #change(): Promise<string> {
    if (this.#prng.below(4) > 0) return this.#source.change();
    const changes = {
      excludes: () => {
        const exclude = [this.#prng.pick(["*.log", "a", "/b/c", "nothing"])];
        const excludeCaches = this.#prng.below(2) === 0;
        this.#options = { ignore: new IgnoreRules({ exclude, excludeCaches }) };
      },
      noExcludes: () => void (this.#options = {}),
      store: () => void (this.#store = 1 - this.#store),
      forget: () => this.#forget(),
      damage: () => this.#damage(),
      mount: () => this.#toggleMount(),
      mountOther: () => this.#toggleMount(),
      oneFileSystem: () => void (this.#options = { oneFileSystem: true }),
      twoSaves: () => this.#saveTwice(),
    };
    const name = this.#prng.pick(Object.keys(changes));
    await changes[name as keyof typeof changes]();
    return name;
  }

  async #forget(): Promise<void> {
    const snapshots = this.#stores[this.#store];
    const [record] = await snapshots.records();
    if (record !== undefined) {
      await snapshots.store.remove(formatRecordName(record));
    }
  }

  /** Flips a bit of a file of rows, cuts it, or puts that of another store in its place. */
  #damage(): void {
    const folder = this.#folder.join("cache");
    const names = readdirSync(folder);
    if (names.length === 0) return;
    const path = join(folder, this.#prng.pick(names));
    const bytes = readFileSync(path);
    const at = this.#prng.below(bytes.length);
    const kinds = [
      () => bytes.with(at, bytes[at] ^ (1 << this.#prng.below(8))),
      () => bytes.subarray(0, at),
      () => readFileSync(join(folder, this.#prng.pick(names))),
    ];
    writeFileSync(path, this.#prng.pick(kinds)());
  }

  #toggleMount(): void {
    if (!MOUNTS) return;
    const path = join(this.#source.path, this.#prng.pick(["A", "z"]));
    if (this.#mounts.has(path)) return this.#unmount(path);
    rmSync(path, { recursive: true, force: true });
    mountTmpfs(path, "64k");
    this.#mounts.add(path);
    writeFileSync(join(path, "file"), "on another device");
  }

  #unmount(path: string): void {
    unmount(path);
    this.#mounts.delete(path);
  }

  async #saveTwice(): Promise<void> {
    await Promise.all([this.#save(), this.#save()]);
  }

  #save() {
    const cache = new StatCache({
      folder: this.#folder.join("cache"),
      key: `${this.#store}`,
      hasher: wasmHasher,
    });
    return this.#saveWith({ changes: this.#counted(cache) });
  }

  #saveWith(options: SaveOptions) {
    return save(this.#stores[this.#store], this.#source.path, {
      ...{ ...this.#options, ...options },
      now: () => Date.now() + 2000 - TICK_MS,
    });
  }

  #counted(finder: ChangeFinder): ChangeFinder {
    return {
      find: async (search) => {
        const found = await finder.find(search);
        if (found.known !== undefined) this.knownCount++;
        if (found.known?.isSame(new Uint8Array(0)) === true) this.sameCount++;
        return found;
      },
    };
  }

  async #saveAndCompare(): Promise<void> {
    const quick = await this.#save();
    const full = await this.#saveWith({ readAll: true });
    equal(quick.id, full.id);
    equal(quick.record!.page, full.record!.page, "the pages differ");
    deepEqual(quick.totals, full.totals);
  }

  [Symbol.dispose](): void {
    for (const path of [...this.#mounts]) this.#unmount(path);
    this.#folder[Symbol.dispose]();
  }
}

let knownCount = 0, sameCount = 0;

seededTest(
  "a save with rows of the one before comes to what one without does",
  async (prng) => {
    using folder = new TemporaryFolder();
    await using one = await makeSnapshots(folder.join("store"));
    await using other = await makeMemorySnapshots();
    using run = new Run(prng, [one, other]);
    for (let i = 0; i < ROUND_SIZE; i++) await run.step();
    knownCount += run.knownCount;
    sameCount += run.sameCount;
  },
  { roundCount: Math.ceil(CHANGE_COUNT / ROUND_SIZE) },
);

Deno.test("rows of the save before were used, and often all was the same", () => {
  ok(knownCount > CHANGE_COUNT / 3, `${knownCount} of ${CHANGE_COUNT}`);
  ok(sameCount > CHANGE_COUNT / 50, `${sameCount} of ${CHANGE_COUNT}`);
});

Deno.test({
  name:
    "rows of the save before are not believed where devices have other numbers now",
  ignore: !MOUNTS,
  async fn() {
    using folder = new TemporaryFolder();
    await using snapshots = await makeMemorySnapshots();
    const source = folder.join("source");
    const mounts = ["A", "z/on"].map((name) => join(source, name));
    const changes = new StatCache({
      ...{ folder: folder.join("cache"), key: "", hasher: wasmHasher },
    });
    const now = () => Date.now() + 60_000;
    const run = (options: SaveOptions) =>
      save(snapshots, source, { now, ...options });
    for (const path of mounts) {
      mountTmpfs(path, "64k");
      writeFileSync(join(path, "file"), "on another device");
    }
    try {
      try {
        await run({ changes });
      } finally {
        unmount(mounts[0]);
      }
      const quick = await run({ changes });
      const full = await run({ readAll: true });
      equal(quick.record!.page, full.record!.page);
    } finally {
      unmount(mounts[1]);
    }
  },
});
