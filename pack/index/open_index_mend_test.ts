import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { MemoryStore } from "@snap/store/memory";
import type { ReadStore } from "@snap/store";
import { crc32 } from "node:zlib";
import { setU32 } from "../bytes.ts";
import {
  INDEX_OPTIONS,
  type MadePack,
  randomPacks,
  writerOptions,
} from "../_testing.ts";
import { FrameBuilder } from "../write/frame_builder.ts";
import { ObjectKind, PackRole } from "../object_kind.ts";
import { PackWriter } from "../write/pack_writer.ts";
import { IndexSyntaxError } from "../errors.ts";
import { packName } from "../file_name.ts";
import { buildIndex } from "../index_writer/index_builder.ts";
import { INDEX_PAGE_SIZE, indexPages } from "./index_table.ts";
import { ObjectIndex } from "./object_index.ts";
import { openIndex } from "./open_index.ts";
import { StoreIndex } from "./store_index.ts";

const hasher = wasmHasher;

interface Damaged {
  readonly store: MemoryStore;
  readonly packs: MadePack[];
  readonly name: string;
}

/** A store with one table, of which a byte of all pages of a part is damaged. */
async function damagedStore(
  part: "packs" | "frames" | "objects",
): Promise<Damaged> {
  const store = new MemoryStore();
  const packs = randomPacks(5, { count: 60, shared: 20 });
  for (const { id, bytes } of packs) await store.create(packName(id), bytes);
  const [{ name, bytes }] = buildIndex(packs, INDEX_OPTIONS);
  await store.create(name, bytes);
  const { index } = await openIndex(store, { hasher });
  const { framesFirst, objectsFirst, count } = indexPages(index.tables[0].head);
  const first = bytes.length - count * INDEX_PAGE_SIZE;
  const [from, to] = {
    packs: [0, framesFirst],
    frames: [framesFirst, objectsFirst],
    objects: [objectsFirst, count],
  }[part];
  const changed = bytes.slice();
  for (let page = from; page < to; page++) {
    changed[first + page * INDEX_PAGE_SIZE + 80] ^= 1;
  }
  await store.remove(name);
  await store.create(name, changed);
  return { store, packs, name };
}

/** Finds each object of all packs in a pack that holds it. */
async function findAll(index: StoreIndex, packs: MadePack[]): Promise<void> {
  await Promise.all(
    packs.flatMap(({ id, table }) =>
      Array.from({ length: table.objectCount }, async (_, row) => {
        const object = table.idBytes(row);
        const kind = table.kind(row);
        ok(await index.locate(object, kind));
        const copies = await index.locateAll(object, kind);
        const own = copies.filter((one) => one.packName === packName(id));
        equal(own.length, 1);
        equal(own[0].size, table.size(row));
      })
    ),
  );
}

for (const part of ["packs", "frames", "objects"] as const) {
  Deno.test(`an index with damaged pages is read from its packs instead: ${part}`, async () => {
    const { store, packs, name } = await damagedStore(part);
    const told: [string, unknown][] = [];
    const found: number[] = [];
    const index = await openIndex(store, {
      hasher,
      onMend: (...what) => told.push(what),
      onUnnamed: ({ packs }) => found.push(packs.length),
    });
    equal(told.length, 0);
    await findAll(index, packs);
    equal(told.length, 1);
    equal(told[0][0], name);
    ok(told[0][1] instanceof IndexSyntaxError);
    equal(await index.locate(new Uint8Array(32), 1), undefined);
    const named = (await Array.fromAsync(index.packs())).flat();
    equal(new Set(named.map(({ packName }) => packName)).size, packs.length);
    deepEqual(found, [packs.length]);
    deepEqual(index.storedTables.map((one) => one.name), [name]);
    const second = new ObjectIndex();
    second.addTables(index.storedTables);
    const shared = new StoreIndex(second, store, { shared: index });
    await findAll(shared, packs);
    deepEqual([told.length, found.length], [1, 1]);
  });
}

Deno.test("an index with damaged pages is an error where packs are not read instead", async () => {
  const { store, packs } = await damagedStore("objects");
  const { index } = await openIndex(store, { hasher });
  await rejects(findAll(new StoreIndex(index, store), packs), IndexSyntaxError);
});

for (const kind of ["damaged", "gone"] as const) {
  Deno.test(`an index with damaged pages finds all but what is in a pack that is ${kind}`, async () => {
    const { store, packs } = await damagedStore("objects");
    const lost = packs.pop()!;
    const name = packName(lost.id);
    await store.remove(name);
    if (kind === "damaged") {
      await store.create(name, lost.bytes.slice().fill(9, -80, -40));
    }
    const index = await openIndex(store, { hasher });
    await findAll(index, packs);
    deepEqual(
      index.unnamed.damaged.map((one) => one.name),
      kind === "damaged" ? [name] : [],
    );
  });
}

/** A store that counts what it is asked for, by the first letters of names. */
function counted(store: MemoryStore): { store: ReadStore; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    store: {
      read: (name, options) => {
        asked.push(`read ${name.slice(0, 5)}`);
        return store.read(name, options);
      },
      size: (name) => store.size(name),
      list: (prefix) => {
        asked.push(`list ${prefix}`);
        return store.list(prefix);
      },
    },
  };
}

/** Ways in which the index may be of no use. */
const RUINS: Record<string, (table: Uint8Array) => Uint8Array | undefined> = {
  "missing": () => undefined,
  "cut short": (bytes) => bytes.subarray(0, 5000),
  "longer": (bytes) => new Uint8Array([...bytes, 1, 2, 3]),
  "longer by a page": (bytes) =>
    new Uint8Array([...bytes, ...new Uint8Array(4096)]),
  "empty": () => new Uint8Array(0),
  ...Object.fromEntries(
    [0, 4, 8, 12, 16, 20, 30, 60, 72, 76, 80, 84, 88, 96, 110, 128, 140, 4000]
      .map((at) => [`flipped at ${at}`, (bytes: Uint8Array) => {
        bytes[at] ^= 1;
        return bytes;
      }]),
  ),
};

for (const [ruin, change] of Object.entries(RUINS)) {
  Deno.test(`an index is not needed: one that is ${ruin}`, async () => {
    const memory = new MemoryStore();
    const packs = randomPacks(5, { count: 9, shared: 20 });
    for (const { id, bytes } of packs) {
      await memory.create(packName(id), bytes);
    }
    const [{ name, bytes }] = buildIndex(packs, INDEX_OPTIONS);
    const ruined = change(bytes.slice());
    if (ruined !== undefined) await memory.create(name, ruined);
    // A second table is sound, and tells of one pack.
    const [sound] = buildIndex(packs.slice(0, 1), INDEX_OPTIONS);
    await memory.create(sound.name, sound.bytes);
    const { store, asked } = counted(memory);
    const damaged: string[] = [];
    const index = await openIndex(store, {
      hasher,
      onDamage: (one) => damaged.push(one),
    });
    deepEqual(damaged, ruined === undefined ? [] : [name]);
    asked.length = 0;
    await findAll(index, packs);
    const ofPacks = asked.filter((what) => !what.startsWith("read index"));
    deepEqual(ofPacks.sort(), [
      "list packs/",
      ...packs.slice(1).map(() => "read packs"),
    ]);
    asked.length = 0;
    equal(await index.locate(new Uint8Array(32), 1), undefined);
    // Packs may have been written anew meanwhile.
    deepEqual(asked, ["list index/"]);
  });
}

Deno.test("an index that is sound costs no list of packs, whatever is a recipe", async () => {
  const memory = new MemoryStore();
  const packs = randomPacks(5, { count: 9 });
  const lines = { id: new Uint8Array(32).fill(0xfe), kind: ObjectKind.recipe };
  const frame = new FrameBuilder();
  frame.add(new Uint8Array(9), lines.id, 0, lines.kind);
  const settings = writerOptions({ role: PackRole.trees });
  const writer = new PackWriter(settings);
  writer.addFrame(frame.plain(), frame.rows);
  const [{ name, bytes }] = buildIndex(
    [...packs, writer.finish()],
    INDEX_OPTIONS,
  );
  await memory.create(name, bytes);
  const { store, asked } = counted(memory);
  const index = await openIndex(store, { hasher });
  for (const { table } of packs) {
    ok(await index.locate(table.idBytes(0), ObjectKind.content));
  }
  equal(await index.locate(lines.id, ObjectKind.content), undefined);
  ok(await index.locate(lines.id, ObjectKind.recipe));
  ok(!asked.includes("list packs/"));
});

Deno.test("an index that lies in a row is read from its packs instead", async () => {
  const memory = new MemoryStore();
  const packs = randomPacks(5, { count: 3 });
  for (const { id, bytes } of packs) await memory.create(packName(id), bytes);
  const [{ name, bytes }] = buildIndex(packs, INDEX_OPTIONS);
  const firstFrame = 2 * 4096;
  setU32(bytes, firstFrame + 16, 999);
  setU32(
    bytes,
    firstFrame + 4092,
    crc32(bytes.subarray(firstFrame, firstFrame + 4092)),
  );
  await memory.create(name, bytes);
  const told: string[] = [];
  const onMend = (name: string) => told.push(name);
  const index = await openIndex(memory, { hasher, onMend });
  await findAll(index, packs);
  deepEqual(told, [name]);
});

Deno.test("an index is read from its packs after the store failed once", async () => {
  const { store, packs } = await damagedStore("objects");
  let failures = 1;
  const index = await openIndex({
    read: (name, options) => {
      const isFailing = name.startsWith("packs/") && failures-- > 0;
      if (isFailing) throw new Error("offline");
      return store.read(name, options);
    },
    size: (name) => store.size(name),
    list: (prefix) => store.list(prefix),
  }, { hasher, onMend: () => {} });
  await rejects(findAll(index, packs), { message: "offline" });
  await findAll(index, packs);
});
