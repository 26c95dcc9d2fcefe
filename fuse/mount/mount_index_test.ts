// Mounts of stores whose index is damaged, or does not tell of every pack.
import { ok, strictEqual } from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { INDEX_PAGE_SIZE, type IndexPages, indexPages } from "@snap/pack/index";
import { openIndex } from "@snap/pack/read";
import { openFileStore } from "@snap/store/file";
import type { NamedRecord } from "@snap/snapshot/records";
import type { ReadOptions, ReadStore, StoreOptions } from "@snap/store";
import { MountScene, mountTest } from "../../tests/_mount.ts";
import { noise, SMALL_SETTINGS } from "../../tests/_snapshots.ts";
import { type Mount, mount } from "./mount.ts";

/** A mount of a store whose index is broken after three saves, with what it logs. */
class IndexScene extends MountScene {
  readonly log: string[] = [];
  mounted: Mount | undefined;

  /** Saves three times, each time more: many small files, a wide directory, a large file. */
  async saveAll(): Promise<NamedRecord> {
    await this.init(SMALL_SETTINGS);
    mkdirSync(`${this.source}/many`);
    for (let i = 0; i < 300; i++) {
      writeFileSync(`${this.source}/many/${i}`, noise(300, i + 1));
    }
    await this.save();
    writeFileSync(`${this.source}/second`, noise(300_000, 1001));
    await this.save();
    writeFileSync(`${this.source}/third`, noise(3000, 1002));
    return await this.save();
  }

  /** Paths of the tables, the largest first. */
  async tables(): Promise<string[]> {
    const store = await openFileStore(this.store);
    const { index } = await openIndex(store, { hasher: wasmHasher });
    return [...index.tables].sort((a, b) => b.size - a.size)
      .map(({ name }) => store.localPath(name));
  }

  async mountStore(record: NamedRecord, kind: "local" | "far"): Promise<void> {
    const store = await openFileStore(this.store);
    this.mounted = await mount(
      kind === "far" ? farAway(store) : store,
      record,
      {
        mountpoint: this.point,
        hasher: wasmHasher,
        onLog: ({ message }) => this.log.push(message),
      },
    );
  }

  /** Reads all that is mounted: nothing may be wrong, nor fail on the way. */
  async compare(): Promise<void> {
    await this.bash(`diff -r "$SOURCE" "$MOUNT"`);
    strictEqual(this.mounted!.statistics().faults, 0);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.mounted?.unmount();
    await super[Symbol.asyncDispose]();
  }
}

/** A store whose files nobody else can open. */
function farAway(store: ReadStore): ReadStore {
  return {
    read: (name: string, options?: ReadOptions) => store.read(name, options),
    size: (name: string, options?: StoreOptions) => store.size(name, options),
    list: (prefix: string, options?: StoreOptions) =>
      store.list(prefix, options),
  };
}

/** Flips a bit of each page of a table that is picked. */
async function damagePages(
  { store: path }: IndexScene,
  tablePath: string,
  pick: (page: number, pages: IndexPages) => boolean,
): Promise<void> {
  const store = await openFileStore(path);
  const { index } = await openIndex(store, { hasher: wasmHasher });
  const { size, head } = index.tables.find(({ name }) =>
    store.localPath(name) === tablePath
  )!;
  const pages = indexPages(head);
  const first = size - pages.count * INDEX_PAGE_SIZE;
  const bytes = readFileSync(tablePath);
  let count = 0;
  for (let page = 0; page < pages.count; page++) {
    if (!pick(page, pages)) continue;
    bytes[first + page * INDEX_PAGE_SIZE + 80] ^= 1;
    count++;
  }
  ok(count > 0);
  chmodSync(tablePath, 0o600);
  writeFileSync(tablePath, bytes);
}

type Ruin = (scene: IndexScene, tables: string[]) => Promise<void> | void;

/** What is done to the index, and of how many tables the log tells. */
const RUINS: Readonly<Record<string, readonly [ruin: Ruin, told: number]>> = {
  "has a damaged page of objects": [
    (scene, [table]) =>
      damagePages(
        scene,
        table,
        (page, { objectsFirst }) => page === objectsFirst + 1,
      ),
    1,
  ],
  "has a damaged page of frames": [
    (scene, [table]) =>
      damagePages(
        scene,
        table,
        (page, { framesFirst }) => page === framesFirst,
      ),
    1,
  ],
  "has a damaged page of packs": [
    (scene, [table]) => damagePages(scene, table, (page) => page === 0),
    1,
  ],
  "has nothing but damaged pages": [
    async (scene, tables) => {
      for (const table of tables) await damagePages(scene, table, () => true);
    },
    3,
  ],
  "has lost its largest table": [(_, [table]) => rmSync(table), 0],
  "has lost its smallest table": [(_, tables) => rmSync(tables.at(-1)!), 0],
  "is gone": [(_, tables) => tables.forEach((table) => rmSync(table)), 0],
};

for (const [what, [ruin, told]] of Object.entries(RUINS)) {
  for (const kind of ["local", "far"] as const) {
    for (const when of ["before", "after"] as const) {
      mountTest(
        `a mount reads all of a ${kind} store whose index ${what}, ${when} it was mounted`,
        async () => {
          await using scene = new IndexScene();
          const record = await scene.saveAll();
          const tables = await scene.tables();
          strictEqual(tables.length, 3);
          if (when === "after") await scene.mountStore(record, kind);
          await ruin(scene, tables);
          if (when === "before") await scene.mountStore(record, kind);
          await scene.compare();
          await scene.compare();
          const damaged = scene.log.filter((line) => /^Cannot use /.test(line));
          // A mount has read all of a small index far away.
          const isMet = kind === "local" || when === "before";
          const toldCount = isMet ? told : 0;
          strictEqual(damaged.length, toldCount, `${scene.log}`);
          const found = scene.log.filter((line) => /^Read what /.test(line));
          strictEqual(found.length, isMet ? 1 : 0, `${scene.log}`);
          strictEqual(
            scene.log.length,
            damaged.length + found.length,
            `${scene.log}`,
          );
        },
      );
    }
  }
}
