import { deepEqual, equal, rejects } from "node:assert/strict";
import { MemoryStore } from "@snap/store/memory";
import { StoreError } from "@snap/store";
import { decodeNamed } from "@snap/store/format";
import { TestSnapshots } from "../../tests/_test_snapshots.ts";
import { verify } from "@snap/snapshot/verify";
import { forgetRecords, listForgotten } from "./forget_records.ts";
import { formatRecordName, type NamedRecord } from "./record.ts";
import { copyRecord } from "./write_record.ts";
import { listRecordNames } from "./records.ts";
import { deleteTag, listTags, retreatTag, tagSnapshot } from "./tags.ts";
import { resolveSnapshot } from "./resolve_snapshot.ts";

async function threeRecords(): Promise<
  { test: TestSnapshots; records: NamedRecord[] }
> {
  const test = new TestSnapshots();
  const records: NamedRecord[] = [];
  for (const text of ["a", "b", "c"]) {
    records.push(await test.save({ [text]: { file: text } }));
  }
  return { test, records };
}

async function live({ store }: TestSnapshots): Promise<string[]> {
  return (await listRecordNames(store)).map(({ record }) => record).sort();
}

Deno.test("forgetRecords marks records, and removes every file of them", async () => {
  const { test, records: [one, two, three] } = await threeRecords();
  const { store } = test;
  const bytes = await store.read(formatRecordName(one));
  const saveId = new Uint8Array(16).fill(9);
  await copyRecord(store, one, bytes, { saveId });
  const now = () => Date.UTC(2026, 10, 30);
  await forgetRecords(store, [one.record, two.record], { now });
  deepEqual(await live(test), [three.record]);
  deepEqual(await listForgotten(store), new Set([one.record, two.record]));
  const name = `forgotten/${one.record}`;
  const { body } = decodeNamed(name, await store.read(name));
  equal(body.time, "2026-11-30T00:00:00.000000000Z");
});

Deno.test("an interrupted forget is finished by the next, and marks nothing twice", async () => {
  const { test, records: [one, two] } = await threeRecords();
  const { store } = test;
  const remove = store.remove.bind(store);
  let left = 2;
  store.remove = (name) => {
    if (left-- === 0) {
      throw new StoreError("gone", { code: "EIO", action: "remove" });
    }
    return remove(name);
  };
  const ids = [one.record, two.record];
  await rejects(forgetRecords(store, ids), { code: "EIO" });
  equal((await listForgotten(store)).size, 2);
  equal((await live(test)).length, 2);
  store.remove = remove;
  const mark = await store.read(`forgotten/${one.record}`);
  await forgetRecords(store, ids);
  equal((await live(test)).length, 1);
  deepEqual(await store.read(`forgotten/${one.record}`), mark);
});

Deno.test("a store that refuses to remove is left as it was", async () => {
  const { test, records } = await threeRecords();
  class Refusing extends MemoryStore {
    override remove(): Promise<void> {
      return Promise.reject(
        new StoreError("no", { code: "EACCES", action: "remove" }),
      );
    }
  }
  const store = new Refusing();
  for await (const batch of test.store.list("")) {
    for (const { name } of batch) {
      await store.create(name, await test.store.read(name));
    }
  }
  const ids = records.map(({ record }) => record);
  await rejects(forgetRecords(store, ids), { code: "EACCES" });
  equal((await listForgotten(store)).size, 0);
  equal((await listRecordNames(store)).length, 3);
});

Deno.test("a tag whose record is forgotten while it is set names again what it named before", async () => {
  const { test, records: [one, two] } = await threeRecords();
  const snapshots = await test.open();
  await tagSnapshot(snapshots, "main", one);
  const { store } = snapshots;
  const create = store.create.bind(store);
  store.create = async (name, bytes) => {
    const isNew = await create(name, bytes);
    if (name === "tags/main/2") await forgetRecords(store, [two.record]);
    return isNew;
  };
  await rejects(tagSnapshot(snapshots, "main", two), {
    message:
      `Cannot set tag main: record ${two.record} was forgotten meanwhile`,
  });
  equal((await resolveSnapshot(snapshots, "main")).record, one.record);
  await rejects(tagSnapshot(snapshots, "other", two), /meanwhile/);
  deepEqual((await listTags(snapshots)).map(({ tag }) => tag), ["main"]);
});

Deno.test("a deleted tag names nothing, is not listed, and can be set again", async () => {
  const { test, records: [one, two] } = await threeRecords();
  const snapshots = await test.open();
  await tagSnapshot(snapshots, "main", one);
  await tagSnapshot(snapshots, "beef", one);
  const deleted = await deleteTag(snapshots, "main");
  equal(deleted?.name?.record, one.record);
  equal(await deleteTag(snapshots, "main"), undefined);
  equal(await deleteTag(snapshots, "never"), undefined);
  deepEqual((await listTags(snapshots)).map(({ tag }) => tag), ["beef"]);
  await rejects(resolveSnapshot(snapshots, "main"), {
    name: "SnapshotNotFoundError",
    message: /tag main was deleted: main~1 is what it named before/,
  });
  equal((await resolveSnapshot(snapshots, "main~1")).record, one.record);
  await tagSnapshot(snapshots, "main", two);
  equal((await resolveSnapshot(snapshots, "main")).record, two.record);
  await rejects(
    resolveSnapshot(snapshots, "main~1"),
    /tag main was deleted then/,
  );
  equal((await resolveSnapshot(snapshots, "main~2")).record, one.record);
  deepEqual((await verify(snapshots)).damages, []);
});

Deno.test("a tag retreats to what is there still, and no further than where it was deleted", async () => {
  const { test, records: [one, two, three] } = await threeRecords();
  const snapshots = await test.open();
  for (const record of [one, two, three]) {
    await tagSnapshot(snapshots, "main", record);
  }
  const live = new Set([one.record]);
  equal((await retreatTag(snapshots, "main", live))?.record, one.record);
  await deleteTag(snapshots, "main");
  await tagSnapshot(snapshots, "main", three);
  equal(await retreatTag(snapshots, "main", live), undefined);
  deepEqual(await listTags(snapshots), []);
});

Deno.test("verify tells of a tag whose record is gone, and not of one that was forgotten", async () => {
  const { test, records: [one, two, three] } = await threeRecords();
  const snapshots = await test.open();
  const { store } = snapshots;
  for (const record of [one, two, three]) {
    await tagSnapshot(snapshots, "main", record);
  }
  const told = async () =>
    (await verify(snapshots)).damages
      .map(({ message }) => message);
  await forgetRecords(store, [one.record]);
  await store.remove(formatRecordName(two));
  deepEqual(await told(), []);
  await store.remove(formatRecordName(three));
  const gone = formatRecordName(three).slice(0, -33);
  deepEqual(await told(), [`Cannot find ${gone}, which tags/main/3 names`]);
});
