import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { IdMismatchError } from "@snap/hash";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { DamageError, ObjectKind, ObjectNotFoundError } from "@snap/pack";
import { HeapFrameCache } from "@snap/pack/read";
import { RecipeSyntaxError } from "@snap/pack/recipe";
import { RecipeBuilder } from "@snap/pack/recipe-writer";
import { SharedFrameCache } from "@snap/pack/cache";
import { EntryKind } from "@snap/manifest/extras";
import { save } from "@snap/save";
import { View, type ViewEntry } from "@snap/snapshot/view";
import { MemoryStore } from "@snap/store/memory";
import { HostileStore, latin } from "../../tests/_hostile_store.ts";
import { type Prng, seededTest } from "../../tests/_prng.ts";
import {
  makeMemorySnapshots,
  noise,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";
import { ServedContents } from "./served_contents.ts";
import { filesOf, type TestMount, testMount, TestRanges } from "../_testing.ts";
import { ContentError } from "./file_contents.ts";
import { NodeCursor } from "../nodes/node_cursor.ts";
import { ROOT_ID } from "../device/protocol.ts";
import { Pieces } from "../device/pieces.ts";

/** What a kernel asks for at once. */
const READ_SIZE = 128 * 1024;

/** A tree with files that are whole objects, recipes, recipes of recipes, holes. */
function makeFiles(path: string): void {
  mkdirSync(path, { recursive: true });
  writeFileSync(`${path}/small`, "small");
  writeFileSync(`${path}/empty`, "");
  writeFileSync(`${path}/large`, noise(300_000, 1));
  // Thousands of chunks: the recipe has two levels.
  writeFileSync(`${path}/larger`, noise(9_000_000, 2));
  writeFileSync(`${path}/sparse`, noise(50_000, 3));
  truncateSync(`${path}/sparse`, 2_000_000);
  writeFileSync(
    `${path}/zeros between`,
    Buffer.concat([noise(7000, 4), new Uint8Array(500_000), noise(9000, 5)]),
  );
}

async function saved(folder: TemporaryFolder) {
  makeFiles(folder.join("tree"));
  const snapshots = await makeMemorySnapshots(SMALL_SETTINGS);
  const { record } = await save(snapshots, folder.join("tree"));
  await snapshots.refresh();
  return { snapshots, record: record };
}

/** Reads a range as often as it takes; returns how many ranges each round wanted. */
function read(
  mount: TestMount,
  entry: { readonly idBytes: Uint8Array; readonly size: number },
  range: { readonly offset: number; readonly size: number },
): { bytes: Uint8Array; rounds: number[] } {
  const { contents } = mount;
  const ranges = mount.ranges as TestRanges;
  const pieces = new Pieces();
  const { offset, size } = range;
  const rounds: number[] = [];
  const { idBytes: id } = entry;
  try {
    while (!contents.collect(id, 0, entry.size, offset, size, pieces)) {
      contents.release();
      pieces.clear();
      ok(ranges.wanted.length > 0, "who has to wait knows for what");
      rounds.push(ranges.wanted.length);
      ok(rounds.length < 100);
      ranges.deliver();
    }
    const views = pieces.views.slice(0, pieces.count);
    return { bytes: new Uint8Array(Buffer.concat(views)), rounds };
  } finally {
    contents.release();
  }
}

async function filesIn(view: View): Promise<ViewEntry[]> {
  const files: ViewEntry[] = [];
  for await (const batch of view.children(view.root).batches()) {
    files.push(...batch.filter(({ kind }) => kind <= EntryKind.executable));
  }
  return files;
}

function rangeIn(prng: Prng, size: number): { offset: number; size: number } {
  const offset = prng.below(size + 1);
  return { offset, size: prng.below(Math.min(size - offset, 400_000) + 1) };
}

seededTest("FileContents reads every range as a view does", async (prng) => {
  using folder = new TemporaryFolder();
  const { snapshots, record } = await saved(folder);
  const view = await View.open(snapshots, record);
  const cache = SharedFrameCache.create({ sizeMax: 1 });
  const mount = await testMount(snapshots.store, record, { cache });
  for (const file of await filesIn(view)) {
    for (let i = 0; i < 40; i++) {
      const range = rangeIn(prng, file.size);
      const { bytes } = read(mount, file, range);
      const { offset, size: length } = range;
      deepEqual(bytes, await view.read(file, { offset, length }));
    }
  }
  await snapshots[Symbol.asyncDispose]();
}, { roundCount: 1 });

seededTest("FileContents ends however late its ranges come", async (prng) => {
  using folder = new TemporaryFolder();
  const { snapshots, record } = await saved(folder);
  const view = await View.open(snapshots, record);
  const ranges = new TestRanges(await filesOf(snapshots.store));
  ranges.isLate = true;
  const cache = SharedFrameCache.create({ sizeMax: 1 });
  const mount = await testMount(snapshots.store, record, { cache, ranges });
  for (const file of await filesIn(view)) {
    for (let i = 0; i < 10; i++) {
      const range = rangeIn(prng, file.size);
      const { bytes } = read(mount, file, range);
      const { offset, size: length } = range;
      deepEqual(bytes, await view.read(file, { offset, length }));
    }
  }
  await snapshots[Symbol.asyncDispose]();
}, { roundCount: 1 });

Deno.test("FileContents wants all frames of a range at once", async () => {
  using folder = new TemporaryFolder();
  const { snapshots, record } = await saved(folder);
  const view = await View.open(snapshots, record);
  const ranges = new TestRanges(await filesOf(snapshots.store));
  const cache = new HeapFrameCache({ sizeMax: 0 });
  const mount = await testMount(snapshots.store, record, { cache, ranges });
  const file = (await view.lookup(latin("larger")))!;
  const size = 100_000;
  read(mount, file, { offset: 0, size: file.size });
  ranges.isLate = true;
  // Pages and nodes are known by now, and frames hold one or two chunks.
  const { rounds } = read(mount, file, { offset: 4_000_000, size });
  equal(rounds.length, 1);
  ok(rounds[0] > 10, `${rounds}`);
  await snapshots[Symbol.asyncDispose]();
});

Deno.test("FileContents reads a second copy after damage", async () => {
  using folder = new TemporaryFolder();
  const { snapshots, record } = await saved(folder);
  const again = await saved(folder);
  const view = await View.open(snapshots, record);
  const files = await filesOf(snapshots.store);
  const isPack = (name: string): boolean => name.startsWith("packs/");
  const own = [...files.keys()].filter(isPack);
  const store = snapshots.store;
  for (const [name, bytes] of await filesOf(again.snapshots.store)) {
    if (name.startsWith("config/")) continue;
    await store.create(name, bytes);
    files.set(name, bytes);
  }
  const others = [...files.keys()].filter((name) =>
    isPack(name) && !own.includes(name)
  );
  ok(own.length > 10 && others.length > 10);
  const flip = (name: string): void => {
    const bytes = files.get(name)!.slice();
    for (let at = 100; at < bytes.length; at += 200) bytes[at] ^= 4;
    files.set(name, bytes);
  };
  own.forEach((name, i) => i % 2 === 0 ? files.delete(name) : flip(name));
  for (const isLate of [false, true]) {
    const ranges = new TestRanges(files);
    ranges.isLate = isLate;
    const mount = await testMount(store, record, { ranges });
    for (const file of await filesIn(view)) {
      const parts: Uint8Array[] = [];
      for (let offset = 0; offset < file.size; offset += READ_SIZE) {
        const size = Math.min(READ_SIZE, file.size - offset);
        parts.push(read(mount, file, { offset, size }).bytes);
      }
      deepEqual(new Uint8Array(Buffer.concat(parts)), await view.read(file));
    }
  }
  for (const name of others) flip(name);
  const file = (await view.lookup(latin("large")))!;
  for (const isLate of [false, true]) {
    const ranges = new TestRanges(files);
    ranges.isLate = isLate;
    const mount = await testMount(store, record, { ranges });
    for (let i = 0; i < 3; i++) {
      throws(() => read(mount, file, { offset: 0, size: READ_SIZE }));
    }
  }
  await snapshots[Symbol.asyncDispose]();
  await again.snapshots[Symbol.asyncDispose]();
});

/** A file in a store that lies, by its name and what is said of it. */
async function hostile(
  fill: (store: HostileStore) => { id: Uint8Array; size: number },
  options: Parameters<typeof testMount>[2] = {},
) {
  const store = new HostileStore();
  const { id, size } = fill(store);
  const root = store.directory([{ name: "a", id, value: size }]);
  const { snapshots, record } = await store.write(new MemoryStore(), root);
  const mount = await testMount(snapshots.store, record, options);
  const cursor = new NodeCursor();
  ok(mount.nodes.select(ROOT_ID, 0, cursor));
  equal(mount.nodes.open(cursor)!.tree.size(0), size);
  return { mount, entry: { idBytes: id, size } };
}

/** Adds content as a recipe of chunks under an id, true or not. */
function addRecipe(
  store: HostileStore,
  chunks: readonly Uint8Array[],
  options: { readonly id?: Uint8Array; readonly lie?: number } = {},
): { id: Uint8Array; size: number } {
  const { recipe, content } = ObjectKind;
  const onNode = (bytes: Uint8Array, id: Uint8Array): void =>
    store.add(bytes.slice(), id.slice(), recipe);
  const builder = new RecipeBuilder({ hasher: wasmHasher, onNode });
  for (const chunk of chunks) {
    const id = store.content(chunk);
    builder.push(id, 0, chunk.length + (options.lie ?? 0));
  }
  const whole = new Uint8Array(Buffer.concat(chunks));
  const { id = new Uint8Array(32) } = options;
  if (options.id === undefined) wasmHasher.hashInto(whole, id);
  builder.finish({ id, kind: content });
  return { id, size: whole.length + chunks.length * (options.lie ?? 0) };
}

Deno.test("FileContents refuses content of another size", async () => {
  for (const size of [4, 6]) {
    const { mount, entry } = await hostile((store) => ({
      id: store.content(latin("12345")),
      size,
    }));
    throws(() => read(mount, entry, { offset: 0, size: 4 }), ContentError);
    const { contents } = mount;
    throws(() => contents.whole(entry.idBytes, 0, size), ContentError);
  }
  const { mount, entry } = await hostile((store) => ({
    id: addRecipe(store, [latin("12345"), latin("678")]).id,
    size: 9,
  }));
  throws(() => read(mount, entry, { offset: 0, size: 4 }), ContentError);
});

Deno.test("FileContents refuses a chunk of another size", async () => {
  const { mount, entry } = await hostile((store) =>
    addRecipe(store, [latin("12345"), latin("678")], { lie: 1 })
  );
  throws(() => read(mount, entry, { offset: 0, size: 2 }), RecipeSyntaxError);
});

Deno.test("FileContents refuses a recipe of another kind", async () => {
  const { mount, entry } = await hostile((store) => {
    const id = new Uint8Array(32).fill(7);
    const onNode = (bytes: Uint8Array, nodeId: Uint8Array): void =>
      store.add(bytes.slice(), nodeId.slice(), ObjectKind.recipe);
    const builder = new RecipeBuilder({ hasher: wasmHasher, onNode });
    builder.pushZeros(100);
    builder.finish({ id, kind: ObjectKind.tree });
    return { id, size: 100 };
  });
  throws(() => read(mount, entry, { offset: 0, size: 9 }), RecipeSyntaxError);
});

Deno.test("FileContents says what no pack holds", async () => {
  const id = new Uint8Array(32).fill(9);
  const { mount } = await hostile(() => ({ id, size: 5 }));
  const entry = { idBytes: id, size: 5 };
  const range = { offset: 0, size: 5 };
  throws(() => read(mount, entry, range), ObjectNotFoundError);
  throws(() => mount.contents.whole(id, 0, 5), ObjectNotFoundError);
});

Deno.test("FileContents stops a recipe that was found to lie", async () => {
  const served = ServedContents.create();
  let told = 0;
  const onServedInFull = (): void => void told++;
  const chunks = [noise(5000, 1), noise(5000, 2)];
  const id = new Uint8Array(32).fill(5);
  const { mount, entry } = await hostile(
    (store) => addRecipe(store, chunks, { id }),
    { served, onServedInFull },
  );
  read(mount, entry, { offset: 0, size: 5000 });
  equal(told, 0);
  read(mount, entry, { offset: 5000, size: 5000 });
  read(mount, entry, { offset: 0, size: 10_000 });
  equal(told, 1);
  throws(() => mount.contents.whole(id, 0, 10_000), IdMismatchError);
  served.markBad(id, 0);
  throws(() => read(mount, entry, { offset: 0, size: 1 }), ContentError);
});

Deno.test("FileContents reads a whole content, and gives it away", async () => {
  const chunks = [noise(5000, 1), noise(3000, 2)];
  const { mount, entry } = await hostile((store) => addRecipe(store, chunks));
  const bytes = mount.contents.whole(entry.idBytes, 0, 8000)!;
  deepEqual(bytes, new Uint8Array(Buffer.concat(chunks)));
  bytes.fill(0);
  const again = mount.contents.whole(entry.idBytes, 0, 8000)!;
  deepEqual(again, new Uint8Array(Buffer.concat(chunks)));
});

Deno.test("FileContents names the pack whose only copy is damaged", async () => {
  using folder = new TemporaryFolder();
  const { snapshots, record } = await saved(folder);
  const view = await View.open(snapshots, record);
  const files = await filesOf(snapshots.store);
  for (const [name, bytes] of files) {
    if (!name.startsWith("packs/")) continue;
    const damaged = bytes.slice();
    for (let at = 80; at < damaged.length; at++) damaged[at] ^= 4;
    files.set(name, damaged);
  }
  const ranges = new TestRanges(files);
  const mount = await testMount(snapshots.store, record, { ranges });
  const entry = (await view.lookup(latin("small")))!;
  for (let i = 0; i < 3; i++) {
    throws(
      () => read(mount, entry, { offset: 0, size: 5 }),
      (error) => error instanceof DamageError && files.has(error.packName),
    );
  }
  await snapshots[Symbol.asyncDispose]();
});

Deno.test("FileContents leaves no frame pinned, also after an error", async () => {
  const cache = SharedFrameCache.create({ sizeMax: 1, slotSizes: [16 << 10] });
  const ids: Uint8Array[] = [];
  const { mount } = await hostile((store) => {
    for (let i = 0; i < 20; i++) ids.push(store.content(noise(1000, i)));
    return { id: ids[0], size: 1000 };
  }, { cache });
  for (let round = 0; round < 3; round++) {
    for (const id of ids) {
      throws(() => mount.contents.whole(id, 0, 999), ContentError);
      ok(mount.contents.whole(id, 0, 1000));
    }
  }
  // All 16 slots of the one set are free to be taken.
  const slots = ids.slice(0, 16).map((_, i) => cache.attach(1000 + i, 100));
  ok(slots.every((slot) => slot >= 0));
});
