import { deepEqual, equal, rejects } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { StoreError } from "@snap/store";
import { MemoryStore } from "@snap/store/memory";
import { FaultStore } from "@snap/store/testing";
import {
  makeMemorySnapshots,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";
import { listRecords, readRecord } from "./records.ts";
import { formatRecordName } from "./record.ts";
import { save } from "@snap/save";

const OPTIONS = { hasher: wasmHasher };

/** A store with five records, a second apart. */
async function makeRecords(): Promise<MemoryStore> {
  using folder = new TemporaryFolder();
  await using snapshots = await makeMemorySnapshots();
  for (let i = 0; i < 5; i++) {
    writeFileSync(folder.join("file"), `${i}`);
    const now = (): number => 1_700_000_000_000 + 1000 * i;
    await save(snapshots, folder.path, { now, message: `${i}` });
  }
  return snapshots.store;
}

async function namesOf(store: MemoryStore): Promise<string[]> {
  const names: string[] = [];
  for await (const batch of store.list("snapshots/")) {
    for (const { name } of batch) names.push(name);
  }
  return names;
}

/** A copy of a store in which one name has other bytes. */
async function withBytes(
  store: MemoryStore,
  name: string,
  bytes: Uint8Array,
): Promise<MemoryStore> {
  const copy = new MemoryStore();
  for (const other of await namesOf(store)) {
    await copy.create(other, other === name ? bytes : await store.read(other));
  }
  return copy;
}

Deno.test("listRecords gives records, newest first", async () => {
  const records = await listRecords(await makeRecords(), OPTIONS);
  deepEqual(records.map(({ message }) => message), ["4", "3", "2", "1", "0"]);
  equal(new Set(records.map(({ record }) => record)).size, 5);
});

Deno.test("listRecords reads those of one tree, by the beginning of its id", async () => {
  const store = await makeRecords();
  const [newest] = await listRecords(store, OPTIONS);
  const treePrefix = newest.tree.slice(0, 16);
  const found = await listRecords(store, { ...OPTIONS, treePrefix });
  deepEqual(found.map(({ message }) => message), ["4"]);
});

Deno.test("listRecords leaves names alone that are none of its own", async () => {
  const store = await makeRecords();
  for (const name of ["snapshots/readme", `snapshots/${"a".repeat(64)}`]) {
    await store.create(name, new Uint8Array(5));
  }
  equal((await listRecords(store, OPTIONS)).length, 5);
});

for (
  const [damage, change] of [
    ["empty", () => new Uint8Array(0)],
    ["half", (bytes: Uint8Array) => bytes.slice(0, bytes.length >> 1)],
    ["bit flipped", (bytes: Uint8Array) => {
      bytes[200] ^= 4;
      return bytes;
    }],
  ] as const
) {
  Deno.test(`listRecords names a record that is damaged: ${damage}`, async () => {
    const store = await makeRecords();
    const [, bad] = await listRecords(store, OPTIONS);
    const name = formatRecordName(bad);
    const bytes = change(await store.read(name));
    const damaged = await withBytes(store, name, bytes);
    await rejects(listRecords(damaged, OPTIONS), {
      name: "SyntaxError",
      message: new RegExp(`^Cannot read record ${bad.record} as`),
    });
    const told: string[] = [];
    const records = await listRecords(damaged, {
      ...OPTIONS,
      onDamage: (name) => told.push(name.record),
    });
    deepEqual(told, [bad.record]);
    equal(records.length, 4);
  });
}

Deno.test("listRecords refuses a record under the name of another tree", async () => {
  const store = await makeRecords();
  const [one, other] = await listRecords(store, OPTIONS);
  const bytes = await store.read(formatRecordName(one));
  const name = { tree: other.tree, record: one.record };
  await store.create(formatRecordName(name), bytes);
  await rejects(listRecords(store, OPTIONS), {
    message: new RegExp(`its name says tree ${other.tree}`),
  });
});

Deno.test("listRecords says that a record cannot be read, and fails if nobody listens", async () => {
  const store = await makeRecords();
  for (const call of [2, 6]) {
    const faults = { at: [{ call, fault: "error" }] } as const;
    const faulty = new FaultStore(store, faults);
    await rejects(listRecords(faulty, OPTIONS), StoreError);
    const told: unknown[] = [];
    const records = await listRecords(new FaultStore(store, faults), {
      ...OPTIONS,
      onDamage: (_name, error) => told.push(error),
    });
    equal(records.length, 4);
    deepEqual(told.map((error) => (error as StoreError).code), ["EIO"]);
  }
  // A list that fails is no empty list.
  const faulty = new FaultStore(store, { at: [{ call: 1, fault: "error" }] });
  const onDamage = (): void => {};
  await rejects(listRecords(faulty, { ...OPTIONS, onDamage }), StoreError);
});

Deno.test("listRecords leaves out a record that is removed meanwhile", async () => {
  const store = await makeRecords();
  const [newest] = await listRecords(store, OPTIONS);
  const name = formatRecordName(newest);
  const losing = new MemoryStore();
  for (const other of await namesOf(store)) {
    await losing.create(other, await store.read(other));
  }
  const read = losing.read.bind(losing);
  losing.read = async (wanted, options) => {
    if (wanted === name) await losing.remove(name);
    return await read(wanted, options);
  };
  equal((await listRecords(losing, OPTIONS)).length, 4);
});

Deno.test("readRecord tells absence from damage", async () => {
  const store = await makeRecords();
  const [one, other] = await listRecords(store, OPTIONS);
  equal((await readRecord(store, one, OPTIONS)).message, "4");
  const absent = { tree: one.tree, record: other.record };
  await rejects(readRecord(store, absent, OPTIONS), { name: "NotFoundError" });
});

Deno.test("listRecords hears a signal, also while it reads", async () => {
  const store = await makeRecords();
  const reason = new Error("Enough");
  const controller = new AbortController();
  const { signal } = controller;
  const read = store.read.bind(store);
  let count = 0;
  store.read = async (name, options) => {
    if (++count === 3) controller.abort(reason);
    return await read(name, options);
  };
  const told: unknown[] = [];
  const options = {
    ...OPTIONS,
    signal,
    onDamage: (name: unknown) => told.push(name),
  };
  await rejects(listRecords(store, options), (error) => error === reason);
  await rejects(listRecords(store, options), (error) => error === reason);
  deepEqual(told, []);
});
