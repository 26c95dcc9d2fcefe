import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { posix } from "@snap/posix";
import { decodeDocument, encodeDocument } from "@snap/store/format";
import { LATER } from "../../tests/_saves.ts";
import {
  makeMemorySnapshots,
  makeSnapshots,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";
import { resolveSnapshot } from "./resolve_snapshot.ts";
import { save } from "@snap/save";
import { listTags, tagLog, tagSnapshot } from "./tags.ts";

Deno.test("a tag entry whose fields are of another type is one damaged entry", async () => {
  using folder = new TemporaryFolder();
  mkdirSync(folder.join("source"));
  writeFileSync(folder.join("source/a"), "a");
  await using snapshots = await makeMemorySnapshots();
  const { record } = await save(snapshots, folder.join("source"), LATER);
  await tagSnapshot(snapshots, "main", record!);
  const first = await snapshots.store.read("tags/main/1");
  const { body } = decodeDocument("TAGE", first);
  const changes = [
    { tree: { toString: 1 } },
    { record: 5 },
    { time: { toString: null } },
    { time: "yesterday" },
    { record: undefined },
    { nonce: undefined },
    { saveId: "00" },
    { head: 1 },
    { head: { ...body.head as object, tree: 5 } },
    { count: 0 },
    { sum: "1" },
  ];
  for (const [i, change] of changes.entries()) {
    const saveId = new Uint8Array(16);
    const bytes = encodeDocument({
      kind: "TAGE",
      saveId,
      body: { ...body, ...change },
    });
    await snapshots.store.create(`tags/main/${i + 2}`, bytes);
    await snapshots.store.create(`tags/other${i}/1`, bytes);
  }
  await tagSnapshot(snapshots, "last", record!);
  const log = (await Array.fromAsync(tagLog(snapshots, "main"))).flat();
  equal(log.length, 1 + changes.length);
  deepEqual(log.map(({ damage }) => damage === undefined).slice(-1), [true]);
  ok(log.slice(0, -1).every(({ damage }) => damage instanceof SyntaxError));
  const tags = await listTags(snapshots);
  equal(tags.find(({ tag }) => tag === "last")?.name?.tree, record!.tree);
  await rejects(resolveSnapshot(snapshots, "main", { host: "" }), SyntaxError);
  const found = await resolveSnapshot(snapshots, "last", { host: "" });
  equal(found.record, record!.record);
});

Deno.test("a save that finds its record there already makes its name durable", async () => {
  using folder = new TemporaryFolder();
  mkdirSync(folder.join("source"));
  writeFileSync(folder.join("source/a"), "a");
  await using snapshots = await makeMemorySnapshots();
  await save(snapshots, folder.join("source"), LATER);
  const synced: string[] = [];
  const { store } = snapshots;
  const sync = store.sync.bind(store);
  store.sync = (prefixes, options) => {
    synced.push(...prefixes);
    return sync(prefixes, options);
  };
  const again = await save(snapshots, folder.join("source"), LATER);
  equal(again.isNewRecord, false);
  deepEqual(synced, ["packs/", "index/", "snapshots/"]);
});

Deno.test("unfinished files of records and tags belong to somebody, and are removed when nobody is left", async () => {
  using folder = new TemporaryFolder();
  mkdirSync(folder.join("source"));
  writeFileSync(folder.join("source/a"), "a");
  await using snapshots = await makeSnapshots(folder.join("store"));
  const tmp = folder.join("store/tmp");
  const { store } = snapshots;
  const create = store.create.bind(store);
  const left: string[] = [];
  store.create = (name, bytes, options) => {
    const saveId = bytes.subarray(24, 40).toHex();
    const owner = readdirSync(tmp).find((one) =>
      one.startsWith(saveId) && one.endsWith("-alive")
    );
    ok(owner !== undefined, `${name} has no owner`);
    // As one that is killed here would leave them.
    left.push(owner, `${saveId}-00`);
    return create(name, bytes, options);
  };
  const { record } = await save(snapshots, folder.join("source"), LATER);
  await tagSnapshot(snapshots, "main", record!);
  store.create = create;
  // Of the lease, the record and the tag.
  equal(left.length, 6);
  const isLeft = () =>
    readdirSync(tmp).filter((name) => name !== "reserve").length;
  equal(isLeft(), 0);
  for (const name of left) writeFileSync(join(tmp, name), "unfinished");
  await save(snapshots, folder.join("source"), LATER);
  if (posix !== undefined) equal(isLeft(), 0);
});
