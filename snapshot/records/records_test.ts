import { deepEqual, equal, rejects } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { NotFoundError, type ReadStore, StoreError } from "@snap/store";
import { MemoryStore } from "@snap/store/memory";
import { FaultStore } from "@snap/store/testing";
import {
  makeMemorySnapshots,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";
import {
  findRecord,
  listRecordNames,
  listRecords,
  readRecord,
} from "./records.ts";
import { formatRecordName, type RecordFile } from "./record.ts";
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
      message: new RegExp(
        `^Cannot read record ${bad.record}: its bytes are damaged`,
      ),
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
  const name = { ...one, tree: other.tree };
  await store.create(formatRecordName(name), bytes);
  await rejects(listRecords(store, OPTIONS), {
    message: new RegExp(`its name says tree ${other.tree}`),
  });
});

Deno.test("listRecords says that a record cannot be read, and fails if nobody listens", async () => {
  const store = await makeRecords();
  for (const call of [3, 7]) {
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
  const onDamage = (): void => {};
  for (const call of [1, 2]) {
    const faulty = new FaultStore(store, { at: [{ call, fault: "error" }] });
    await rejects(listRecords(faulty, { ...OPTIONS, onDamage }), StoreError);
  }
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
  const absent = { ...one, record: other.record };
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

Deno.test("listRecords reads many at once of a store far away", async () => {
  const mostAtOnce = async (more: Partial<ReadStore>): Promise<number> => {
    let count = 0, most = 0;
    const store = Object.assign(new MemoryStore(), more, {
      async read(name: string): Promise<Uint8Array> {
        most = Math.max(most, ++count);
        await new Promise((resolve) => setTimeout(resolve));
        count--;
        throw new NotFoundError(name);
      },
    });
    for (let i = 0; i < 300; i++) {
      const tree = i.toString(16).padStart(64, "0");
      const name = `snapshots/${tree}-${tree}-${"ab".repeat(16)}`;
      await store.create(name, new Uint8Array(1));
    }
    deepEqual(await listRecords(store, OPTIONS), []);
    return most;
  };
  equal(await mostAtOnce({}), 128);
  equal(await mostAtOnce({ localPath: (name) => name }), 16);
});

const [OTHER, THIRD] = ["ab".repeat(16), "cd".repeat(16)];

/** Copies a file of a record as another run does. */
async function copyAs(
  store: MemoryStore,
  file: RecordFile,
  writer: string,
): Promise<string> {
  const name = formatRecordName({ ...file, writer });
  await store.create(name, await store.read(formatRecordName(file)));
  return name;
}

Deno.test("a record under several save ids is one record, read from any that is sound", async () => {
  const store = await makeRecords();
  const [one] = await listRecords(store, OPTIONS);
  await copyAs(store, one, OTHER);
  await copyAs(store, one, THIRD);
  equal((await listRecords(store, OPTIONS)).length, 5);
  equal((await listRecordNames(store)).length, 5);
  const name = formatRecordName(one);
  const bytes = await store.read(name);
  bytes[200] ^= 1;
  const damaged = await withBytes(store, name, bytes);
  const told: RecordFile[] = [];
  const records = await listRecords(damaged, {
    ...OPTIONS,
    onDamage: (file) => told.push(file),
  });
  equal(records.length, 5);
  equal(records[0].record, one.record);
  equal(records[0].saveId, one.saveId);
  deepEqual(
    told.map(({ writer }) => writer).filter((w) => w !== one.writer),
    [],
  );
  equal((await listRecords(damaged, OPTIONS)).length, 5);
  equal((await findRecord(damaged, one, OPTIONS)).record, one.record);
  await store.remove(name);
  equal((await findRecord(store, one, OPTIONS)).record, one.record);
});

Deno.test("a file whose save is void does not count, whoever names its record", async () => {
  const store = await makeRecords();
  const [one, two] = await listRecords(store, OPTIONS);
  const name = { tree: one.tree, record: one.record };
  await copyAs(store, two, OTHER);
  for (const writer of [one.writer, two.writer]) {
    await store.create(`gc/void/${writer}`, new Uint8Array(3));
  }
  const records = await listRecords(store, OPTIONS);
  deepEqual(records.map(({ message }) => message), ["3", "2", "1", "0"]);
  equal(records[0].writer, OTHER);
  const names = await listRecordNames(store);
  deepEqual(
    new Set(names),
    new Set(records.map(({ tree, record, writer }) => ({
      ...{ tree, record, writer },
    }))),
  );
  await rejects(findRecord(store, name, OPTIONS), { name: "NotFoundError" });
  equal((await findRecord(store, two, OPTIONS)).message, "3");
  // One that is void harms nobody by its damage.
  const broken = await withBytes(
    store,
    formatRecordName(one),
    new Uint8Array(9),
  );
  await broken.create(`gc/void/${one.writer}`, new Uint8Array(3));
  equal((await listRecords(broken, OPTIONS)).length, 4);
});

Deno.test("marks are listed after records, and read beside them", async () => {
  const store = await makeRecords();
  const list = store.list.bind(store);
  const [one] = await listRecords(store, OPTIONS);
  store.list = async function* (prefix, options) {
    yield* list(prefix, options);
    // As a round of removal does that ends just then.
    if (prefix === "snapshots/") {
      await store.create(`gc/void/${one.writer}`, new Uint8Array(1));
    }
  };
  equal((await listRecords(store, OPTIONS)).length, 4);
  const faulty = new FaultStore(store, { at: [{ call: 2, fault: "error" }] });
  await rejects(listRecordNames(faulty), StoreError);
});
