import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import {
  deleteTag,
  forgetRecords,
  listForgotten,
  listTags,
  type NamedRecord,
  tagSnapshot,
} from "@snap/snapshot/records";
import type { Snapshots } from "@snap/snapshot";
import { StoreError } from "@snap/store";
import type { MemoryStore } from "@snap/store/memory";
import { TestSnapshots } from "../../tests/_test_snapshots.ts";
import { forget } from "./forget.ts";
import { planRetention } from "./plan_retention.ts";
import { parseRules } from "./retention_rules.ts";

const NOW = { now: () => Date.parse("2026-12-01T00:00Z"), timeZone: "UTC" };

interface Setup {
  readonly test: TestSnapshots;
  readonly snapshots: Snapshots<MemoryStore>;
  /** Three, of three days, the oldest first. */
  readonly records: readonly NamedRecord[];
}

async function setUp(): Promise<Setup> {
  const test = new TestSnapshots();
  const records: NamedRecord[] = [];
  for (const day of ["27", "28", "29"]) {
    const time = `2026-11-${day}T08:00:00.000000000Z`;
    records.push(await test.save({ [day]: { file: day } }, { time }));
  }
  return { test, snapshots: await test.open(), records };
}

async function live(snapshots: Snapshots<MemoryStore>): Promise<string[]> {
  return (await snapshots.records()).map(({ record }) => record).reverse();
}

async function namesOf(
  snapshots: Snapshots<MemoryStore>,
): Promise<Record<string, string | undefined>> {
  const tags = await listTags(snapshots);
  return Object.fromEntries(tags.map(({ tag, name }) => [tag, name?.record]));
}

Deno.test("planRetention says what keeps each record, and removes nothing", async () => {
  const { snapshots, records: [one, two, three] } = await setUp();
  await tagSnapshot(snapshots, "release", one);
  await tagSnapshot(snapshots, "release", two);
  const rules = parseRules({ "keep-last": 1, "keep-tag": "release" });
  const [{ host, source, records }] = await planRetention(
    snapshots,
    rules,
    NOW,
  );
  deepStrictEqual([host, source], ["here", "/data"]);
  deepStrictEqual(
    records.map(({ record, reasons }) => [record.record, reasons]),
    [
      [three.record, ["last"]],
      [two.record, ["tag release", "named by release"]],
      [one.record, ["tag release"]],
    ],
  );
  strictEqual((await live(snapshots)).length, 3);
});

Deno.test("rules that would keep nothing are refused, of all and of a group, unless that is wanted", async () => {
  const { test, snapshots } = await setUp();
  const nothing = { name: "NothingKeptError" };
  await rejects(planRetention(snapshots, {}, NOW), nothing);
  await rejects(planRetention(snapshots, { last: 0 }, NOW), nothing);
  const none = await planRetention(snapshots, {}, {
    ...NOW,
    mayKeepNone: true,
  });
  deepStrictEqual(none[0].records.map(({ reasons }) => reasons.length), [
    0,
    0,
    0,
  ]);
  const other = await test.save({ x: { file: "x" } }, { host: "other" });
  await tagSnapshot(snapshots, "v1", other);
  await rejects(
    planRetention(snapshots, parseRules({ "keep-tag": "v1" }), NOW),
    {
      ...nothing,
      message:
        "Cannot forget by rules that keep nothing of /data on host here: it has 3 records",
    },
  );
});

Deno.test("a tag of the rules that is not there, or whose log is damaged, is an error", async () => {
  const { snapshots, records } = await setUp();
  const plan = () =>
    planRetention(snapshots, parseRules({ "keep-tag": "v1" }), NOW);
  await rejects(plan(), { name: "SnapshotNotFoundError" });
  await tagSnapshot(snapshots, "v1", records[0]);
  await snapshots.store.create("tags/v1/2", new Uint8Array(50));
  await rejects(plan(), /Cannot read tags\/v1\/2/);
  // What it names is not known either.
  await rejects(
    planRetention(snapshots, { last: 1 }, NOW),
    /Cannot read tags\/v1\/2/,
  );
  await rejects(forget(snapshots, [records[0]]), /Cannot read tags\/v1\/2/);
});

Deno.test("a record that cannot be read is told and in no group, and can be forgotten", async () => {
  const { test, snapshots, records: [one] } = await setUp();
  const name = `snapshots/${one.tree}-${one.record}-${one.writer}`;
  await test.damage(name, (bytes) => void (bytes[90] ^= 1));
  const told: string[] = [];
  const [{ records }] = await planRetention(snapshots, { last: 1 }, {
    ...NOW,
    onDamage: ({ record }) => told.push(record),
  });
  deepStrictEqual([told, records.length], [[one.record], 2]);
  const report = await forget(snapshots, [one]);
  strictEqual(report.forgotten[0].record, one.record);
  strictEqual((await live(snapshots)).length, 2);
});

Deno.test("forget refuses what a tag names, or keeps it, or lets the tag name what it named before", async () => {
  const { snapshots, records: [one, two, three] } = await setUp();
  for (const record of [one, two]) await tagSnapshot(snapshots, "main", record);
  await tagSnapshot(snapshots, "only", two);
  await rejects(forget(snapshots, [two, three]), {
    name: "NamedByTagError",
    message: `Cannot forget record ${two.record}: main, only name it`,
    tags: ["main", "only"],
  });
  strictEqual((await live(snapshots)).length, 3);
  const kept = await forget(snapshots, [two, three], { whenNamed: "keep" });
  deepStrictEqual(kept.kept.map(({ record }) => record), [two.record]);
  deepStrictEqual(await live(snapshots), [one.record, two.record]);
  const { tags } = await forget(snapshots, [two], { whenNamed: "forget" });
  deepStrictEqual(
    tags.map(({ tag, name, isMoved }) => [tag, name?.record, isMoved]),
    [["main", one.record, false], ["only", undefined, false]],
  );
  deepStrictEqual(await namesOf(snapshots), { main: one.record });
  deepStrictEqual(await live(snapshots), [one.record]);
});

Deno.test("a dry run says what the run then does, and writes nothing", async () => {
  const { snapshots, records: [one, two, three] } = await setUp();
  for (const record of [one, two]) await tagSnapshot(snapshots, "main", record);
  const { store } = snapshots;
  const names = async () =>
    (await Array.fromAsync(store.list(""))).flat().map(({ name }) => name)
      .sort();
  const before = await names();
  const options = { whenNamed: "forget", dryRun: true } as const;
  const said = await forget(snapshots, [two, three], options);
  deepStrictEqual(await names(), before);
  const done = await forget(snapshots, [two, three], {
    ...options,
    dryRun: false,
  });
  deepStrictEqual(said, done);
});

Deno.test("a tag that is set to a record while that is forgotten names again what it named before", async () => {
  const { snapshots, records: [one, two] } = await setUp();
  await tagSnapshot(snapshots, "main", one);
  const { store } = snapshots;
  const create = store.create.bind(store);
  let setting: Promise<unknown> = Promise.resolve();
  store.create = async (name, bytes) => {
    const isNew = await create(name, bytes);
    store.create = create;
    // Set when the tags were listed, and looked for before the record goes.
    setting = tagSnapshot(snapshots, "main", two);
    await setting;
    return isNew;
  };
  const { tags } = await forget(snapshots, [two]);
  await setting;
  deepStrictEqual(
    tags.map(({ tag, name, isMoved }) => [tag, name?.record, isMoved]),
    [["main", one.record, true]],
  );
  deepStrictEqual(await namesOf(snapshots), { main: one.record });
});

Deno.test("an interrupted forget is finished by the next, and its tags with it", async () => {
  const { snapshots, records: [one, two, three] } = await setUp();
  for (const record of [one, two]) await tagSnapshot(snapshots, "main", record);
  const { store } = snapshots;
  const remove = store.remove.bind(store);
  let left = 1; // It is asked first whether anything may be removed.
  store.remove = (name, options) => {
    if (left-- > 0) return remove(name, options);
    throw new StoreError("no", { code: "EIO", action: "remove" });
  };
  await rejects(forgetRecords(store, [two.record]), { code: "EIO" });
  store.remove = remove;
  // It counts for no rule.
  const [{ records }] = await planRetention(snapshots, { last: 1 }, NOW);
  deepStrictEqual(records.map(({ record }) => record.record), [
    three.record,
    one.record,
  ]);
  const report = await forget(snapshots, []);
  deepStrictEqual(report.finished.map(({ record }) => record), [two.record]);
  deepStrictEqual(await live(snapshots), [one.record, three.record]);
  deepStrictEqual(await namesOf(snapshots), { main: one.record });
  strictEqual((await listForgotten(store)).size, 1);
});

Deno.test("a deleted tag keeps nothing", async () => {
  const { snapshots, records: [one] } = await setUp();
  await tagSnapshot(snapshots, "main", one);
  await deleteTag(snapshots, "main");
  const [{ records }] = await planRetention(snapshots, { last: 1 }, NOW);
  deepStrictEqual(records.at(-1)?.reasons, []);
  const { tags } = await forget(snapshots, [one]);
  deepStrictEqual(tags, []);
});

Deno.test("a store that refuses to remove keeps its tags as they are", async () => {
  const { snapshots, records: [one, two] } = await setUp();
  for (const record of [one, two]) await tagSnapshot(snapshots, "main", record);
  const { store } = snapshots;
  store.remove = () =>
    Promise.reject(new StoreError("no", { code: "EACCES", action: "remove" }));
  const options = { whenNamed: "forget" } as const;
  await rejects(forget(snapshots, [two], options), { code: "EACCES" });
  deepStrictEqual(await namesOf(snapshots), { main: two.record });
  strictEqual((await listForgotten(store)).size, 0);
});
