import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { wasmHasher } from "@snap/hash";
import { MemoryStore } from "@snap/store/memory-store";
import { INDEX_OPTIONS, type MadePack, randomPacks } from "./_testing.ts";
import { IndexSyntaxError } from "./errors.ts";
import { packName } from "./file_name.ts";
import { buildIndex } from "./index_builder.ts";
import { INDEX_PAGE_SIZE, indexPages } from "./index_table.ts";
import { ObjectIndex } from "./object_index.ts";
import { openIndex, StoreIndex } from "./open_index.ts";

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

for (const part of ["frames", "objects"] as const) {
  Deno.test(`an index with damaged pages is built again from its packs: ${part}`, async () => {
    const { store, packs, name } = await damagedStore(part);
    const told: [string, unknown][] = [];
    const index = await openIndex(store, {
      hasher,
      onMend: (...what) => told.push(what),
    });
    equal(told.length, 0);
    await findAll(index, packs);
    equal(told.length, 1);
    equal(told[0][0], name);
    ok(told[0][1] instanceof IndexSyntaxError);
    equal(await index.locate(new Uint8Array(32), 1), undefined);
    const named = (await Array.fromAsync(index.packs())).flat();
    equal(named.length, packs.length);
    deepEqual(index.storedTables.map((one) => one.name), [name]);
    const second = new ObjectIndex();
    second.addTables(index.storedTables);
    const shared = new StoreIndex(second, store, { shared: index });
    await findAll(shared, packs);
    equal(told.length, 1);
  });
}

Deno.test("an index with damaged pages is an error where nobody is told", async () => {
  const { store, packs } = await damagedStore("objects");
  const index = await openIndex(store, { hasher });
  await rejects(findAll(index, packs), IndexSyntaxError);
});

Deno.test("an index with damaged pages of packs is an error", async () => {
  const { store, packs } = await damagedStore("packs");
  const onMend = (): never => {
    throw new Error("It cannot be known which packs there are");
  };
  const index = await openIndex(store, { hasher, onMend });
  await rejects(findAll(index, packs), IndexSyntaxError);
});

for (const kind of ["damaged", "gone"] as const) {
  Deno.test(`an index with damaged pages is an error where a pack is ${kind}`, async () => {
    const { store, packs } = await damagedStore("objects");
    const { id, bytes } = packs.at(-1)!;
    await store.remove(packName(id));
    if (kind === "damaged") {
      await store.create(packName(id), bytes.slice().fill(9, -80, -40));
    }
    const onMend = (): never => {
      throw new Error("Its objects would pass for absent");
    };
    const index = await openIndex(store, { hasher, onMend });
    await rejects(findAll(index, packs), IndexSyntaxError);
  });
}

Deno.test("an index is built again after the store failed once", async () => {
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
