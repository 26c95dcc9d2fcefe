// Reading while packs are written anew, and those that they were written from go.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { NotFoundError, type PruneStore, type StoreOptions } from "@snap/store";
import { MemoryStore } from "@snap/store/memory";
import {
  makeFileStore,
  namesIn,
  noise,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";
import { HeapFrameCache } from "../cache/heap_frame_cache.ts";
import { ObjectIndex } from "../index/object_index.ts";
import { openIndex } from "../index/open_index.ts";
import { StoreIndex } from "../index/store_index.ts";
import { ObjectKind } from "../object_kind.ts";
import { openRanges } from "../ranges/open_ranges.ts";
import type { AwaitedRanges } from "../ranges/ranges.ts";
import { openObjectWriter } from "../write/open_object_writer.ts";
import { Objects } from "./objects.ts";
import { openStoreReader } from "./store_reader.ts";
import { TableList } from "./table_list.ts";

const { content } = ObjectKind;
/** Too large for two to lie in one frame. */
const PLAINS = Array.from({ length: 6 }, (_, i) => noise(5000, i + 1));
/** One that is read only at the end. */
const LAST = noise(5000, 99);
let saveCount = 0;

function idOf(plain: Uint8Array): Uint8Array {
  const id = new Uint8Array(32);
  hasher.hashInto(plain, id);
  return id;
}

/** Writes all objects into new packs, whatever is there. */
async function write(store: PruneStore): Promise<void> {
  await using writer = await openObjectWriter(store, {
    ...{ hasher, settings: { ...SMALL_SETTINGS, codec: "none" } },
    ...{ saveId: new Uint8Array(16).fill(++saveCount), mode: "copy" },
  });
  for (const plain of [...PLAINS, LAST]) {
    const sink = writer.sink();
    sink.reserve(plain.length).set(plain);
    sink.commit(idOf(plain), 0, plain.length);
  }
  await writer.finish();
}

/** Writes all objects anew, and removes the packs and tables that were there. */
async function move(store: PruneStore): Promise<void> {
  const old = [
    ...await namesIn(store, "index/"),
    ...await namesIn(store, "packs/"),
  ];
  await write(store);
  for (const name of old) await store.remove(name);
}

/** A store that counts its lists, and in which something happens before one. */
class ListedStore extends MemoryStore {
  readonly lists: string[] = [];
  onListed: () => Promise<void> = () => Promise.resolve();

  override async *list(
    prefix: string,
    options?: StoreOptions,
  ): ReturnType<MemoryStore["list"]> {
    this.lists.push(prefix);
    const entries = await Array.fromAsync(super.list(prefix, options));
    if (prefix === "index/") {
      const { onListed } = this;
      this.onListed = () => Promise.resolve();
      await onListed();
    }
    yield* entries;
  }
}

/** The options of a reader that keeps no frame. */
function forgetful() {
  return { hasher, cache: new HeapFrameCache({ sizeMax: 1 }) };
}

for (const place of ["memory", "a folder"]) {
  Deno.test(`a reader follows packs that are moved, as often as they are: ${place}`, async () => {
    using folder = new TemporaryFolder();
    const store = place === "memory"
      ? new MemoryStore()
      : await makeFileStore(folder.join("store"), SMALL_SETTINGS);
    await write(store);
    await using reader = await openStoreReader(store, forgetful());
    for (const plain of PLAINS) {
      deepEqual(await reader.readObject(idOf(plain), content), plain);
      await move(store);
    }
    await Promise.all(PLAINS.map(async (plain) => {
      deepEqual(await reader.readObject(idOf(plain), content), plain);
    }));
  });
}

Deno.test("an index with its own pages follows as the one that it shares tables with", async () => {
  const store = new MemoryStore();
  await write(store);
  const shared = await openIndex(store, { hasher });
  const index = new ObjectIndex();
  index.addTables(shared.storedTables);
  await using reader = await openStoreReader(store, {
    ...forgetful(),
    index: new StoreIndex(index, store, { shared }),
  });
  for (const plain of PLAINS) {
    await move(store);
    deepEqual(await reader.readObject(idOf(plain), content), plain);
  }
  await move(store);
  ok(await shared.locate(idOf(LAST), content) !== undefined);
});

Deno.test("a pack that is gone for good costs one look, whatever it held", async () => {
  const store = new ListedStore();
  await write(store);
  await using reader = await openStoreReader(store, forgetful());
  await reader.readObject(idOf(PLAINS[0]), content);
  const packs = await namesIn(store, "packs/");
  for (const name of packs) await store.remove(name);
  store.lists.length = 0;
  for (const plain of PLAINS.slice(1)) {
    await rejects(reader.readObject(idOf(plain), content), NotFoundError);
  }
  const looks = store.lists.filter((prefix) => prefix === "index/").length;
  ok(looks >= 1 && looks <= packs.length, `${looks} looks`);
});

Deno.test("an object that a table tells of only later is found", async () => {
  const store = new ListedStore();
  await using reader = await openStoreReader(store, forgetful());
  await write(store);
  deepEqual(await reader.readObject(idOf(PLAINS[0]), content), PLAINS[0]);
});

Deno.test("an index is opened while its tables are replaced", async () => {
  const store = new ListedStore();
  await write(store);
  store.onListed = () => move(store);
  await using reader = await openStoreReader(store, forgetful());
  deepEqual(await reader.readObject(idOf(PLAINS[0]), content), PLAINS[0]);
});

for (const unseen of [["index/"], ["index/", "packs/"]]) {
  Deno.test(`lists that have seen neither the old files nor the new are made again: ${unseen}`, async () => {
    using folder = new TemporaryFolder();
    const store = await makeFileStore(folder.join("store"), SMALL_SETTINGS);
    await write(store);
    const index = await openIndex(store, { hasher });
    await using reader = await openStoreReader(store, {
      ...forgetful(),
      index,
    });
    await move(store);
    const list = store.list.bind(store);
    const empty = new Set(unseen);
    store.list = async function* (prefix, options) {
      if (!empty.delete(prefix)) yield* list(prefix, options);
    };
    deepEqual(await reader.readObject(idOf(PLAINS[0]), content), PLAINS[0]);
    equal(empty.size, 0);
  });
}

/** Takes an object as those do who may not wait; whatever it waits for is done here. */
async function take(
  objects: Objects,
  plain: Uint8Array,
  { ranges, search }: {
    readonly ranges: AwaitedRanges;
    readonly search: () => Promise<boolean>;
  },
): Promise<Uint8Array> {
  const id = idOf(plain);
  for (let tries = 0; tries < 100; tries++) {
    ranges.forgetWanted();
    try {
      const view = objects.take(id, 0, content);
      if (view !== undefined) return view.slice();
    } finally {
      objects.release();
    }
    if (!await search() && ranges.wanted.length > 0) await ranges.arrived();
  }
  throw new Error("An object is never there");
}

Deno.test("who may not wait follows packs that are moved, once somebody has listed the tables", async () => {
  const store = new MemoryStore();
  await write(store);
  const tables = TableList.create();
  const list = async (): Promise<void> => {
    const { wantedCount } = tables;
    const { index } = await openIndex(store, { hasher });
    tables.add(index.liveTables);
    tables.endSearch(wantedCount, "made");
  };
  await list();
  await using ranges = await openRanges(store);
  let isWanted = false, searchCount = 0;
  const objects = new Objects({
    ...{ ...forgetful(), ranges, tables },
    keeper: { search: () => isWanted = true, tellDamage: () => {} },
  });
  const search = async (): Promise<boolean> => {
    if (!isWanted) return false;
    isWanted = false;
    searchCount++;
    await list();
    return true;
  };
  for (const plain of PLAINS) {
    deepEqual(await take(objects, plain, { ranges, search }), plain);
    await move(store);
  }
  equal(searchCount, PLAINS.length - 1);
  for (const name of await namesIn(store, "packs/")) await store.remove(name);
  await rejects(take(objects, LAST, { ranges, search }), NotFoundError);
});
