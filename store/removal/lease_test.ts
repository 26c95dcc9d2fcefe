import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { DocumentSyntaxError, StoreError } from "../errors.ts";
import { encodeDocument } from "../format/document.ts";
import { decodeNamed } from "../format/document_form.ts";
import { MemoryStore } from "../memory/memory_store.ts";
import type { PruneStore, StoreOptions } from "../store.ts";
import { joinLease, openLease } from "./lease.ts";
import { listLeases, readLease, readSaveIds } from "./leases.ts";

const saveId = new Uint8Array(16).fill(0xab);
const ID = "ab".repeat(16);
const OTHERS = ["01".repeat(16), "02".repeat(16), "03".repeat(16)];
const TIME = Date.UTC(2026, 10, 20, 5, 46, 18);
const run = {
  saveId,
  action: "save",
  host: "h",
  program: "p",
  now: () => TIME,
};

/** The names of entries, without their folder. */
async function entriesOf(store: PruneStore): Promise<string[]> {
  const names: string[] = [];
  for await (const batch of store.list("leases/")) {
    names.push(...batch.map(({ name }) => name.slice(`leases/${ID}/`.length)));
  }
  return names.sort();
}

/** A store to which a run may add, and nothing else. */
class AppendStore extends MemoryStore {
  override remove(name: string, _options?: StoreOptions): Promise<void> {
    return Promise.reject(
      new StoreError("No", {
        code: "EACCES",
        action: "remove",
        storeName: name,
      }),
    );
  }
}

Deno.test("a lease is there from its start to its end", async () => {
  const store = new MemoryStore();
  const lease = await openLease(store, run);
  deepStrictEqual(
    await listLeases(store),
    new Map([[ID, { number: 0, isOver: false }]]),
  );
  deepStrictEqual(await readLease(store, ID), {
    ...{ time: "2026-11-20T05:46:18.000000000Z" },
    ...{ host: "h", program: "p", action: "save" },
  });
  await lease.end();
  await lease.end();
  deepStrictEqual(await listLeases(store), new Map());
});

Deno.test("a run that may not remove ends its lease by an entry", async () => {
  const store = new AppendStore();
  const lease = await openLease(store, run);
  await lease.renew();
  await lease.end();
  deepStrictEqual(await entriesOf(store), ["0", "1", "end"]);
  deepStrictEqual(
    await listLeases(store),
    new Map([[ID, { number: 1, isOver: true }]]),
  );
});

Deno.test("a renewal takes the place of the one before, and never of the start", async () => {
  const store = new MemoryStore();
  const lease = await openLease(store, run);
  for (let i = 0; i < 3; i++) await lease.renew();
  deepStrictEqual(await entriesOf(store), ["0", "3"]);
  strictEqual((await listLeases(store)).get(ID)?.number, 3);
});

Deno.test("a run that may not remove renews all the same", async () => {
  const store = new AppendStore();
  const lease = await openLease(store, run);
  for (let i = 0; i < 3; i++) await lease.renew();
  deepStrictEqual(await entriesOf(store), ["0", "1", "2", "3"]);
});

Deno.test("a lease whose start is gone is over", async () => {
  const store = new MemoryStore();
  const lease = await openLease(store, run);
  await lease.renew();
  await store.remove(`leases/${ID}/0`);
  deepStrictEqual(
    await listLeases(store),
    new Map([[ID, { number: 1, isOver: true }]]),
  );
  strictEqual(await readLease(store, ID), undefined);
});

Deno.test("an end counts for whoever removes if the run itself has written it", async () => {
  const store = new AppendStore();
  const lease = await openLease(store, run);
  const end = async (body: Record<string, unknown>): Promise<boolean> => {
    const other = new MemoryStore();
    for (const entry of await entriesOf(store)) {
      const name = `leases/${ID}/${entry}`;
      await other.create(name, await store.read(name));
    }
    const bytes = encodeDocument({ kind: "LEAS", saveId, body });
    await other.create(`leases/${ID}/end`, bytes);
    return (await listLeases(other, { checksEnds: true })).get(ID)!.isOver;
  };
  strictEqual(await end({}), false);
  strictEqual(await end({ key: "00".repeat(16) }), false);
  strictEqual(await end({ key: 5 }), false);
  await lease.end();
  const found = (await listLeases(store, { checksEnds: true })).get(ID);
  strictEqual(found?.isOver, true);
});

Deno.test("two runs cannot have one lease", async () => {
  const store = new MemoryStore();
  await openLease(store, run);
  await rejects(openLease(store, run), { name: "StoreError", code: "EEXIST" });
});

Deno.test("requests of one session renew one lease, and none hides the save ids of another", async () => {
  const store = new MemoryStore();
  const first = await openLease(store, { ...run, saveIds: OTHERS.slice(0, 1) });
  await first.renew({ saveIds: OTHERS.slice(1, 2) });
  const second = await joinLease(store, { saveId });
  const third = await joinLease(store, { saveId });
  await second.renew({ saveIds: OTHERS.slice(2) });
  await third.renew();
  await third.renew();
  deepStrictEqual(await entriesOf(store), ["0", "1", "2", "4"]);
  deepStrictEqual(await readSaveIds(store, ID), new Set([ID, ...OTHERS]));
  await third.end();
  await rejects(joinLease(store, { saveId }), {
    name: "StoreError",
    code: "ESTALE",
  });
});

Deno.test("a renewal repeats the save ids of the one that it replaces", async () => {
  const store = new MemoryStore();
  const lease = await openLease(store, run);
  await lease.renew({ saveIds: OTHERS });
  await lease.renew();
  deepStrictEqual(await entriesOf(store), ["0", "2"]);
  deepStrictEqual(await readSaveIds(store, ID), new Set([ID, ...OTHERS]));
});

/** Renews a lease between the list of its entries and their reading. */
class MovingStore extends MemoryStore {
  move: (() => Promise<void>) | undefined;
  override async *list(prefix: string): ReturnType<MemoryStore["list"]> {
    for await (const batch of super.list(prefix)) {
      const { move } = this;
      this.move = undefined;
      await move?.();
      yield batch;
    }
  }
}

Deno.test("save ids are found in a renewal that comes while they are read", async () => {
  const store = new MovingStore();
  const lease = await openLease(store, run);
  await lease.renew({ saveIds: OTHERS });
  store.move = () => lease.renew();
  deepStrictEqual(await readSaveIds(store, ID), new Set([ID, ...OTHERS]));
});

Deno.test("a damaged lease is damage, and other names in its folder are nothing", async () => {
  const store = new MemoryStore();
  for (const name of [`leases/${ID}/0x`, `leases/${ID}/01`, "leases/one/0"]) {
    await store.create(name, new Uint8Array(3));
  }
  deepStrictEqual(await listLeases(store), new Map());
  await store.create(`leases/${ID}/0`, new Uint8Array(3));
  await rejects(readLease(store, ID), DocumentSyntaxError);
  await rejects(readSaveIds(store, ID), DocumentSyntaxError);
  await rejects(readLease(store, "../0"), RangeError);
});

Deno.test("entries of a lease are the documents of the format", async () => {
  const store = new AppendStore();
  const lease = await openLease(store, run);
  await lease.renew({ saveIds: OTHERS });
  await lease.end();
  for (const entry of await entriesOf(store)) {
    const name = `leases/${ID}/${entry}`;
    deepStrictEqual(decodeNamed(name, await store.read(name)).saveId, saveId);
  }
});
