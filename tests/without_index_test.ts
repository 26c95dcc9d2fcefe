import { deepEqual, equal, ok } from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import type { FileStore } from "@snap/store/file";
import type { StoreOptions } from "@snap/store";
import { LATER, makeTree, saveAndCompare } from "./_saves.ts";
import {
  makeFileStore,
  namesIn,
  noise,
  readDisk,
  readSnapshot,
  sameEntries,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "./_snapshots.ts";
import { diffSnapshots, snapshotSide } from "@snap/snapshot/query";
import { restore } from "@snap/restore";
import { save } from "@snap/save";
import { openSnapshots, type Snapshots } from "@snap/snapshot";
import { View } from "@snap/snapshot/view";

/** A store of two saves of one directory: a table for each. */
class Ruined implements Disposable {
  readonly folder = new TemporaryFolder();
  readonly source = this.folder.join("source");
  readonly path = this.folder.join("store");
  store!: FileStore;

  static async make(): Promise<Ruined> {
    const made = new Ruined();
    made.store = await makeFileStore(made.path, SMALL_SETTINGS) as FileStore;
    makeTree(made.source);
    mkdirSync(join(made.source, "many"));
    for (let i = 0; i < 300; i++) {
      writeFileSync(join(made.source, "many", `${i}`), noise(300, i + 1));
    }
    await made.save();
    writeFileSync(join(made.source, "second"), noise(300_000, 77));
    writeFileSync(join(made.source, "third"), noise(3000, 78));
    await made.save();
    return made;
  }

  async save() {
    await using snapshots = await this.open();
    return await save(snapshots, this.source, LATER);
  }

  async open(told: string[] = []): Promise<Snapshots<FileStore>> {
    return await openSnapshots(this.store, {
      hasher: wasmHasher,
      onDamage: (name) => told.push(`damaged ${name.slice(0, 6)}`),
      onMend: (name) => told.push(`mended ${name.slice(0, 6)}`),
      onUnnamed: ({ packs }) => told.push(`${packs.length > 0} packs`),
    });
  }

  async tables(): Promise<string[]> {
    const names = await namesIn(this.store, "index/");
    return names.map((name) => join(this.path, name));
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}

function change(path: string, by: (bytes: Uint8Array) => Uint8Array): void {
  chmodSync(path, 0o600);
  writeFileSync(path, by(readFileSync(path)));
}

function flip(at: number): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => {
    bytes[at] ^= 1;
    return bytes;
  };
}

/** What is done to the tables, which of them, and what is told once. */
const RUINS: Record<string, [(tables: string[]) => void, string[]]> = {
  "all tables are gone": [
    (tables) => tables.forEach((table) => rmSync(table)),
    ["true packs"],
  ],
  "the larger table is gone": [
    (tables) => {
      const sizeOf = (path: string) => readFileSync(path).length;
      rmSync(tables.sort((a, b) => sizeOf(b) - sizeOf(a))[0]);
    },
    ["true packs"],
  ],
  "a bit of each version is flipped": [
    (tables) => tables.forEach((table) => change(table, flip(8))),
    ["damaged index/", "damaged index/", "true packs"],
  ],
  "a bit of each head is flipped": [
    (tables) => tables.forEach((table) => change(table, flip(130))),
    ["damaged index/", "damaged index/", "true packs"],
  ],
  "a bit of each page of packs is flipped": [
    (tables) => tables.forEach((table) => change(table, flip(4096 + 40))),
    ["mended index/", "mended index/", "true packs"],
  ],
  "bytes are appended to each": [
    (tables) =>
      tables.forEach((table) =>
        change(table, (bytes) => new Uint8Array([...bytes, 1, 2, 3]))
      ),
    ["damaged index/", "damaged index/", "true packs"],
  ],
};

for (const [ruin, [damage, told]] of Object.entries(RUINS)) {
  Deno.test(`a snapshot is read where ${ruin}`, async () => {
    using made = await Ruined.make();
    const expected = readDisk(made.source);
    damage(await made.tables());
    const said: string[] = [];
    await using snapshots = await made.open(said);
    const [record, older] = await snapshots.records();
    sameEntries(await readSnapshot(snapshots, record), expected);
    const view = await View.open(snapshots, record);
    const entry = await view.lookup(new TextEncoder().encode("second"));
    deepEqual(await view.read(entry!), noise(300_000, 77));
    const reader = await snapshots.reader();
    const sides = [older, record].map((one) => snapshotSide(reader, one));
    const changes = await Array.fromAsync(diffSnapshots(sides[0], sides[1]));
    equal(changes.filter(({ kind }) => kind === "added").length, 2);
    deepEqual(new Set(said.sort()), new Set(told));
    equal(said.length, told.length, `${said}`);
  });

  for (const workers of [0, 1]) {
    Deno.test(`restore() needs no index: ${ruin}, ${workers} workers`, async () => {
      using made = await Ruined.make();
      damage(await made.tables());
      await using snapshots = await made.open();
      const [record] = await snapshots.records();
      const target = made.folder.join("target");
      const { errors } = await restore(snapshots, record, target, { workers });
      deepEqual(errors, []);
      sameEntries(readDisk(target), readDisk(made.source));
    });
  }

  Deno.test(`save goes on where ${ruin}, and writes what is missing`, async () => {
    using made = await Ruined.make();
    damage(await made.tables());
    const before = new Set(await namesIn(made.store, "packs/"));
    writeFileSync(join(made.source, "fourth"), "fourth");
    const result = await made.save();
    equal(result.progress.newByteCount, 6);
    ok(result.storedByteCount < 200_000, `${result.storedByteCount}`);
    // Every pack is in a table now: none has to be looked for.
    const said: string[] = [];
    await using snapshots = await made.open(said);
    sameEntries(
      await readSnapshot(snapshots, result.record!),
      readDisk(made.source),
    );
    ok(!said.includes("true packs") || told[0].startsWith("mended"));
    const named = (await Array.fromAsync((await snapshots.index()).packs()))
      .flat().map(({ packName }) => packName);
    for (const name of before) ok(named.includes(name), name);
  });
}

Deno.test("save does not read files again that are unchanged, once an index is there again", async () => {
  using made = await Ruined.make();
  for (const table of await made.tables()) rmSync(table);
  await made.save();
  const { progress, isNewRecord } = await made.save();
  equal(progress.readFileCount, 0);
  equal(isNewRecord, false);
});

Deno.test("save stores again what was lost together with the index", async () => {
  using made = await Ruined.make();
  for (const table of await made.tables()) rmSync(table);
  const packs = await namesIn(made.store, "packs/");
  for (const pack of packs) {
    const path = join(made.path, pack);
    const bytes = readFileSync(path);
    rmSync(path);
    for (const table of await made.tables()) rmSync(table);
    {
      await using snapshots = await made.open();
      await saveAndCompare(snapshots, made.source, LATER);
    }
    writeFileSync(path, bytes);
  }
});

Deno.test("save believes no recipe of a save that was killed", async () => {
  using made = await Ruined.make();
  const packs = new Set(await namesIn(made.store, "packs/"));
  const records = new Set(await namesIn(made.store, "snapshots/"));
  const tables = new Set(await made.tables());
  const large = noise(600_000, 99);
  writeFileSync(join(made.source, "large"), large);
  await made.save();
  // Killed between its packs and its index: what data it had did not all arrive.
  const sizes: [number, string][] = [];
  for (const name of await namesIn(made.store, "packs/")) {
    if (!packs.has(name)) sizes.push([(await made.store.size(name))!, name]);
  }
  rmSync(join(made.path, sizes.sort(([a], [b]) => b - a)[0][1]));
  for (const name of await namesIn(made.store, "snapshots/")) {
    if (!records.has(name)) rmSync(join(made.path, name));
  }
  for (const path of await made.tables()) {
    if (!tables.has(path)) rmSync(path);
  }
  await using snapshots = await made.open();
  const { progress } = await saveAndCompare(snapshots, made.source, LATER);
  ok(progress.newByteCount > 10_000, `${progress.newByteCount}`);
});

Deno.test("a far store is asked for one list and once for each pack that no table names", async () => {
  using made = await Ruined.make();
  for (const table of await made.tables()) rmSync(table);
  const asked: string[] = [];
  const { store } = made;
  const far = {
    read: (name: string, options?: StoreOptions & { offset?: number }) => {
      asked.push(`read ${name}`);
      return store.read(name, options);
    },
    size: (name: string) => store.size(name),
    list: (prefix: string) => {
      asked.push(`list ${prefix}`);
      return store.list(prefix);
    },
  };
  await using snapshots = await openSnapshots(far, { hasher: wasmHasher });
  const index = await snapshots.index();
  asked.length = 0;
  const [{ tree }] = await snapshots.records();
  ok(await index.locate(Uint8Array.fromHex(tree), 3));
  const packs = await namesIn(store, "packs/");
  deepEqual(
    asked.filter((what) => !/snapshots\/|gc\/void\//.test(what)).sort(),
    ["list packs/", ...packs.map((name) => `read ${name}`)].sort(),
  );
});
