import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import type { Id } from "@snap/hash";
import type { MemoryStore } from "@snap/store/memory";
import { TagStore } from "@snap/store/format";
import { TestSnapshots } from "../../tests/_test_snapshots.ts";
import { formatRecordName, type NamedRecord } from "./record.ts";
import {
  AmbiguousIdError,
  parseTarget,
  type ResolveOptions,
  resolveSnapshot,
  SnapshotNotFoundError,
} from "./resolve_snapshot.ts";
import type { Snapshots } from "../snapshots.ts";
import { listTags, tagLog, tagSnapshot } from "./tags.ts";

interface Setup {
  readonly test: TestSnapshots;
  readonly snapshots: Snapshots<MemoryStore>;
  readonly records: readonly NamedRecord[];
}

/** Three snapshots of three kinds, and tags. */
async function setUp(): Promise<Setup> {
  const test = new TestSnapshots();
  const root = test.addDirectory({ a: { file: "a" } });
  const other = test.addDirectory({ b: { file: "b" } });
  await test.flush();
  const records = [
    await test.addRecord(root, { time: "2026-01-01T00:00:00.000000000Z" }),
    await test.addRecord(root, {
      time: "2026-01-02T00:00:00.000000000Z",
      host: "there",
    }),
    await test.addRecord(other, {
      time: "2026-01-03T00:00:00.000000000Z",
      source: "/other",
    }),
  ];
  const snapshots = await test.open();
  for (const record of [records[0], records[2], records[1]]) {
    await tagSnapshot(snapshots, "main", record);
  }
  await tagSnapshot(snapshots, "beef", records[0]);
  return { test, snapshots, records };
}

Deno.test("a tag names its head, and goes back by time, whatever slot is last", async () => {
  const { snapshots, records: [one, two, three] } = await setUp();
  const { tree, record, saveId } = one;
  const time = "2001-01-01T00:00:00.000000000Z";
  const entry = { time, tree, record, saveId, nonce: "ab".repeat(16) };
  await new TagStore(snapshots.store).copy("main", [entry]);
  const found: string[] = [];
  for (const text of ["main", "main~1", "main~2", "main~3"]) {
    found.push((await resolveSnapshot(snapshots, text)).record);
  }
  const wanted = [two, three, one, one].map(({ record }) => record);
  deepStrictEqual(found, wanted);
  const main = (await listTags(snapshots)).find(({ tag }) => tag === "main");
  strictEqual(main?.name?.record, two.record);
  strictEqual(main?.number, 4);
  // What the last slot would say is not known when it is damaged; other tags are.
  await snapshots.store.create("tags/main/5", new Uint8Array(50));
  await rejects(
    resolveSnapshot(snapshots, "main"),
    /Cannot read tags\/main\/5/,
  );
  strictEqual((await resolveSnapshot(snapshots, "main~1")).record, two.record);
  strictEqual((await resolveSnapshot(snapshots, "beef")).record, one.record);
  await tagSnapshot(snapshots, "main", three);
  const again = await resolveSnapshot(snapshots, "main");
  strictEqual(again.record, three.record);
});

Deno.test("parseTarget splits at the first colon", () => {
  deepStrictEqual(parseTarget("main"), { snapshot: "main" });
  deepStrictEqual(parseTarget("main:"), { snapshot: "main", path: "" });
  deepStrictEqual(parseTarget("a~2:b/c:d"), { snapshot: "a~2", path: "b/c:d" });
});

Deno.test("resolveSnapshot knows ids, records, tags and latest", async () => {
  const { snapshots, records } = await setUp();
  const [one, two, three] = records;
  const cases: [string, NamedRecord][] = [
    [one.tree, two],
    [one.tree.slice(0, 6), two],
    [three.tree.slice(0, 6), three],
    [`${one.tree}@${one.record}`, one],
    [`${one.tree.slice(0, 8)}@${two.record.slice(0, 8)}`, two],
    [one.tree.toUpperCase(), two],
    [one.record, one],
    [one.record.slice(0, 8), one],
    [`${one.tree.slice(0, 8)}@${two.record.slice(0, 8)}`.toUpperCase(), two],
    ["main", two],
    ["main~0", two],
    ["main~1", three],
    ["main~2", one],
    ["beef", one],
    ["latest", three],
    ["latest~1", two],
    ["latest~2", one],
  ];
  for (const [text, record] of cases) {
    deepStrictEqual(await resolveSnapshot(snapshots, text), record, text);
  }
  const of = (options: ResolveOptions, text = "latest") =>
    resolveSnapshot(snapshots, text, options);
  deepStrictEqual(await of({ host: "here" }), three);
  deepStrictEqual(await of({ host: "there" }), two);
  deepStrictEqual(await of({ host: "here", source: "/data" }), one);
  deepStrictEqual(await of({ host: "here" }, "latest~1"), one);
});

Deno.test("latest of a folder is that of the nearest one above it that was saved", async () => {
  const { snapshots, records } = await setUp();
  const [one, , three] = records;
  const at = (folder: string, text = "latest") =>
    resolveSnapshot(snapshots, text, { host: "here", folder });
  deepStrictEqual(await at("/data"), one);
  deepStrictEqual(await at("/data/a/b"), one);
  deepStrictEqual(await at("/other/c"), three);
  deepStrictEqual(await at("/database"), three);
  deepStrictEqual(await at("/"), three);
  await rejects(
    at("/data/a", "latest~1"),
    /has 1 record of \/data on host here/,
  );
});

Deno.test("resolveSnapshot tells of a tag like which other ids begin", async () => {
  const { snapshots, records } = await setUp();
  const [one, , three] = records;
  const shadowed: [string, readonly string[]][] = [];
  const resolve = (text: string) =>
    resolveSnapshot(snapshots, text, {
      onShadow: (...all) => shadowed.push(all),
    });
  const tag = three.tree.slice(0, 6);
  await tagSnapshot(snapshots, tag, one);
  await tagSnapshot(snapshots, one.tree.slice(0, 6), one);
  deepStrictEqual(await resolve(tag), one);
  deepStrictEqual(await resolve("beef"), one);
  deepStrictEqual(await resolve(one.tree.slice(0, 6)), one);
  deepStrictEqual(shadowed, [[tag, [three.tree]]]);
});

Deno.test("resolveSnapshot says what there is not", async () => {
  const { snapshots, records } = await setUp();
  const absent = "0".repeat(64);
  for (
    const [text, reason] of [
      ["main~3", /tag main has named 3 so far/],
      ["nothing", /there is no such tag, and an id has 4 to 64 hex digits/],
      ["nothing:a", /a whole snapshot such as nothing is wanted, without/],
      ["nothing~1", /there is no tag nothing/],
      [`${records[0].tree}~1`, /~ needs a tag/],
      ["latest~3", /the store has 3 records$/],
      [absent, /begins/],
      [`${records[0].tree}@${absent}`, /begin/],
      ["abc", /4 to 64/],
      ["", /^Cannot find snapshot "": .*4 to 64/],
      [`${records[0].tree}@`, /4 to 64/],
      ["../x", /4 to 64/],
    ] as const
  ) {
    await rejects(resolveSnapshot(snapshots, text), (error) => {
      strictEqual(error instanceof SnapshotNotFoundError, true, text);
      strictEqual((error as SnapshotNotFoundError).text, text);
      return reason.test((error as Error).message);
    }, text);
  }
  const host = resolveSnapshot(snapshots, "latest", { host: "nowhere" });
  await rejects(host, /the store has no record on host nowhere$/);
});

Deno.test("resolveSnapshot names the candidates of an ambiguous id", async () => {
  const { snapshots, records } = await setUp();
  const named = (tree: string, record: string): NamedRecord => ({
    ...records[0],
    tree: tree.padEnd(64, "0") as Id,
    record: record.padEnd(64, "0") as Id,
  });
  const many = {
    store: snapshots.store,
    hasher: snapshots.hasher,
    records: ({ treePrefix = "", idPrefix = "" } = {}) =>
      Promise.resolve([
        named("abcd1", "1111"),
        named("abcd2", "2222"),
        named("abcd2", "2233"),
        named("eeee1", "abcd3"),
      ].filter(({ tree, record }) =>
        tree.startsWith(treePrefix) &&
        (tree.startsWith(idPrefix) || record.startsWith(idPrefix))
      )),
  };
  await rejects(resolveSnapshot(many, "abcd"), (error) => {
    strictEqual(error instanceof AmbiguousIdError, true);
    deepStrictEqual((error as AmbiguousIdError).candidates, [
      "abcd1".padEnd(64, "0"),
      "abcd2".padEnd(64, "0"),
      `${"eeee1".padEnd(64, "0")}@${"abcd3".padEnd(64, "0")}`,
    ]);
    return true;
  });
  strictEqual((await resolveSnapshot(many, "abcd2")).record[0], "2");
  strictEqual((await resolveSnapshot(many, "abcd@1111")).tree[4], "1");
  await rejects(resolveSnapshot(many, "abcd2@2222".slice(0, -2) + "2"), {
    name: "SnapshotNotFoundError",
  });
});

Deno.test("resolveSnapshot passes over damaged records only when told to", async () => {
  const { test, snapshots, records } = await setUp();
  await test.damage(formatRecordName(records[2]), (bytes) => bytes.slice(1));
  await rejects(resolveSnapshot(snapshots, "latest"), SyntaxError);
  const damaged: string[] = [];
  const found = await resolveSnapshot(snapshots, "latest", {
    onDamage: ({ record }) => damaged.push(record),
  });
  deepStrictEqual(found, records[1]);
  deepStrictEqual(damaged, [records[2].record]);
  await rejects(resolveSnapshot(snapshots, "main~1"), SyntaxError);
});

Deno.test("tags tell of damage, and of records that are gone", async () => {
  const { test, snapshots, records } = await setUp();
  const tags = await listTags(snapshots);
  deepStrictEqual(tags.map(({ tag, number }) => [tag, number]), [
    ["beef", 1],
    ["main", 3],
  ]);
  const { tree, record } = records[1];
  deepStrictEqual(tags[1].name, { tree, record });
  await test.store.remove(formatRecordName(records[1]));
  await rejects(resolveSnapshot(snapshots, "main"), /is gone/);
  await test.damage("tags/main/3", (bytes) => void (bytes[75] ^= 1));
  await rejects(resolveSnapshot(snapshots, "main"), SyntaxError);
  const log = [];
  for await (const batch of tagLog(snapshots, "main")) log.push(...batch);
  deepStrictEqual(log.map(({ number }) => number), [3, 2, 1]);
  strictEqual(log[0].damage instanceof SyntaxError, true);
  strictEqual(log[1].name?.record, records[2].record);
  strictEqual(await tagSnapshot(snapshots, "main", records[0]), 4);
  await rejects(tagSnapshot(snapshots, "latest", records[0]), RangeError);
  await rejects(tagSnapshot(snapshots, "a:b", records[0]), RangeError);
});

Deno.test("tagSnapshot writes the time of its clock", async () => {
  const { snapshots, records } = await setUp();
  const now = (): number => 1_800_000_000_123;
  await tagSnapshot(snapshots, "timed", records[0], { now });
  const tag = (await listTags(snapshots)).find(({ tag }) => tag === "timed");
  strictEqual(tag?.time, "2027-01-15T08:00:00.123000000Z");
});
