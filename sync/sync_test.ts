// Two stores in this process: what crosses, what does not, what is told.
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { save } from "@snap/save";
import type { Snapshots } from "@snap/snapshot";
import {
  deleteTag,
  listTags,
  type NamedRecord,
  tagSnapshot,
} from "@snap/snapshot/records";
import type { WriteStore } from "@snap/store";
import { TagStore } from "@snap/store/format";
import { MemoryStore } from "@snap/store/memory";
import { FaultStore } from "@snap/store/testing";
import { LATER, makeTree } from "../tests/_saves.ts";
import {
  checkSame,
  makeMemorySnapshots,
  makeSnapshots,
  namesIn,
  noise,
  open,
  TemporaryFolder,
} from "../tests/_snapshots.ts";
import { copySnapshot } from "./engine/copy.ts";
import { clone } from "./engine/clone.ts";
import { sync } from "./engine/sync.ts";
import { SyncError } from "./errors.ts";
import { newMeter } from "./options.ts";
import type { Peer } from "./peer/peer.ts";
import { storePeer } from "./peer/store_peer.ts";

function peer({ store }: { store: WriteStore }): Peer {
  return storePeer(store, { hasher });
}

/** Saves a tree with small files, large content, a large directory. */
async function saveOne(
  snapshots: Snapshots<WriteStore>,
  folder: TemporaryFolder,
  name: string,
): Promise<NamedRecord> {
  const path = folder.join(name);
  makeTree(path);
  Deno.writeFileSync(`${path}/large`, noise(3_000_000, 5));
  const { record } = await save(snapshots, path, LATER);
  return record!;
}

Deno.test("sync copies a snapshot with all that it reaches", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  const record = await saveOne(a, folder, "tree");
  const report = await sync(peer(a), peer(b), { pull: false });
  strictEqual(report.recordsCopied, 1);
  deepStrictEqual(report.errors, []);
  ok(report.objectsOut > 10);
  await checkSame(a, b, record);
});

Deno.test("sync does nothing where nothing is missing", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  await saveOne(a, folder, "tree");
  await sync(peer(a), peer(b));
  const before = await namesIn(b.store);
  const report = await sync(peer(a), peer(b));
  deepStrictEqual(
    [report.recordsCopied, report.objectsTotal, report.rounds],
    [0, 0, 0],
  );
  deepStrictEqual(await namesIn(b.store), before);
});

Deno.test("sync copies what a change has changed, in both directions", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  await saveOne(a, folder, "tree");
  await sync(peer(a), peer(b));
  Deno.writeTextFileSync(folder.join("tree", "new"), "new here");
  const { record: second } = await save(a, folder.join("tree"), LATER);
  const third = await saveOne(b, folder, "other");
  const report = await sync(peer(a), peer(b));
  strictEqual(report.recordsCopied, 2);
  // The root with its page, and one content; the other tree is there but for its root.
  ok(report.objectsTotal < 20, `${report.objectsTotal}`);
  await checkSame(a, b, second!);
  await checkSame(b, a, third);
});

Deno.test("sync by workers gives the same, from folder to folder", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeSnapshots(folder.join("a"));
  await using b = await makeSnapshots(folder.join("b"));
  for (let i = 0; i < 12; i++) {
    Deno.mkdirSync(folder.join(`tree/${i}`), { recursive: true });
    for (let j = 0; j < 40; j++) {
      const size = 1 + (i * 40 + j) * 97 % 60_000;
      const path = folder.join(`tree/${i}/${j}`);
      Deno.writeFileSync(path, noise(size, i * 40 + j));
    }
  }
  Deno.writeFileSync(folder.join("tree/large"), noise(9_000_000, 3));
  const { record } = await save(a, folder.join("tree"), LATER);
  const report = await sync(peer(a), peer(b), { workers: 2 });
  deepStrictEqual([report.recordsCopied, report.errors], [1, []]);
  await checkSame(a, b, record!);
});

Deno.test("contents that are met again later are moved once, and counted once by a dry run", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  // More of each than are asked for together at first.
  const count = 600, size = 100, largeSize = 3_000_000;
  for (const name of ["one", "other"]) {
    Deno.mkdirSync(folder.join(`tree/${name}`), { recursive: true });
    for (let i = 0; i < count; i++) {
      Deno.writeFileSync(folder.join(`tree/${name}/${i}`), noise(size, i));
    }
    const large = noise(largeSize, count);
    Deno.writeFileSync(folder.join(`tree/${name}/large`), large);
  }
  // One directory must not be as the other, or it is walked once.
  Deno.writeTextFileSync(folder.join("tree/other/more"), "more");
  const { record } = await save(a, folder.join("tree"), LATER);
  const dry = await sync(peer(a), peer(b), { dryRun: true });
  const report = await sync(peer(a), peer(b));
  strictEqual(dry.bytesTotal, report.bytesTotal);
  strictEqual(dry.objectsSkipped, report.objectsSkipped);
  strictEqual(report.objectsSkipped, count + 1);
  ok(report.bytesTotal < 2 * largeSize);
  await checkSame(a, b, record!);
});

Deno.test("a dry run says what would cross, and changes nothing", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  const record = await saveOne(a, folder, "tree");
  await tagSnapshot(a, "main", record);
  const before = await namesIn(b.store);
  const report = await sync(peer(a), peer(b), { dryRun: true });
  strictEqual(report.recordsCopied, 1);
  strictEqual(report.tagEntries, 1);
  ok(report.bytesTotal > 3_000_000);
  strictEqual(report.objectsOut, 0);
  deepStrictEqual(await namesIn(b.store), before);
});

Deno.test("copySnapshot copies one, whatever else there is", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  const first = await saveOne(a, folder, "tree");
  Deno.writeTextFileSync(folder.join("tree", "new"), "new here");
  await save(a, folder.join("tree"), LATER);
  await copySnapshot(peer(a), peer(b), first);
  strictEqual((await b.records()).length, 1);
  await checkSame(a, b, first);
  const none = { ...first, record: first.tree };
  await rejects(copySnapshot(peer(a), peer(b), none), SyncError);
});

Deno.test("clone makes a store with the same settings", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  const record = await saveOne(a, folder, "tree");
  const store = new MemoryStore();
  await clone(peer(a), store, { hasher });
  await using b = await open(store);
  deepStrictEqual(b.settings, a.settings);
  await checkSame(a, b, record);
});

Deno.test("logs of tags become equal, and name the same", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  const first = await saveOne(a, folder, "tree");
  const second = await saveOne(b, folder, "other");
  await tagSnapshot(a, "main", first, { now: () => 5_000_000 });
  await tagSnapshot(b, "main", second, { now: () => 1_000_000 });
  await tagSnapshot(b, "only", second);
  const report = await sync(peer(a), peer(b));
  strictEqual(report.tagEntries, 3);
  for (const { store } of [a, b]) {
    const slot = await new TagStore(store).newest("main");
    ok(slot !== undefined && slot.damage === undefined);
    strictEqual(slot.head.record, first.record);
    strictEqual(slot.count, 2);
  }
  strictEqual((await sync(peer(a), peer(b))).tagEntries, 0);
});

Deno.test("a tag that was deleted last is deleted on both sides, and set again on both", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  const record = await saveOne(a, folder, "tree");
  const named = async (): Promise<unknown[]> => {
    await sync(peer(a), peer(b));
    const all = [await listTags(a), await listTags(b)];
    return all.map((tags) => tags.map(({ tag, name }) => [tag, name?.record]));
  };
  const main = ["main", record.record];
  await tagSnapshot(a, "main", record, { now: () => 1_000_000 });
  deepStrictEqual(await named(), [[main], [main]]);
  // Each side goes on from what it knows; the clock of the one that deletes is behind.
  await deleteTag(b, "main", { now: () => 0 });
  deepStrictEqual(await named(), [[], []]);
  await tagSnapshot(a, "main", record, { now: () => 2_000_000 });
  await deleteTag(b, "other");
  deepStrictEqual(await named(), [[main], [main]]);
  await tagSnapshot(a, "main", record, { now: () => 3_000_000 });
  await deleteTag(b, "main", { now: () => 4_000_000 });
  deepStrictEqual(await named(), [[], []]);
});

Deno.test("what is forgotten stays so, and goes at the other side if wanted", async () => {
  using folder = new TemporaryFolder();
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  const first = await saveOne(a, folder, "tree");
  Deno.writeTextFileSync(folder.join("tree", "new"), "new here");
  const { record: second } = await save(a, folder.join("tree"), LATER);
  await sync(peer(a), peer(b));
  const session = await peer(a).connect({ meter: newMeter() });
  await session.forget([first.record]);
  await session[Symbol.asyncDispose]();
  const ids = async (one: Snapshots): Promise<string[]> =>
    (await one.records()).map(({ record }) => record);
  const report = await sync(peer(a), peer(b));
  strictEqual(report.recordsCopied, 0);
  deepStrictEqual(await ids(a), [second!.record]);
  strictEqual((await ids(b)).length, 2);
  await sync(peer(a), peer(b), { pull: false, mirror: "forgets" });
  deepStrictEqual(await ids(b), [second!.record]);
  const third = await saveOne(b, folder, "other");
  await sync(peer(a), peer(b), { pull: false, mirror: "exact" });
  deepStrictEqual(await ids(b), [second!.record]);
  ok(!(await ids(a)).includes(third.record));
});

Deno.test("a store is not synced with itself", async () => {
  await using a = await makeMemorySnapshots();
  await rejects(sync(peer(a), peer(a)), (error: SyncError) => {
    strictEqual(error.code, "SAME");
    return true;
  });
});

Deno.test("a record that is read with a damaged bit is not copied so", async () => {
  await using a = await makeMemorySnapshots();
  await using b = await makeMemorySnapshots();
  using folder = new TemporaryFolder();
  await saveOne(a, folder, "tree");
  for (let call = 1, isOver = false; !isOver; call++) {
    const at = [{ call, fault: "flip" as const }];
    const store = new FaultStore(a.store, { at, actions: ["read"] });
    await sync(peer({ store }), peer(b)).catch(() => {});
    isOver = store.calls < call;
    const names = await namesIn(b.store, "snapshots/");
    for (const name of names) {
      const id = hasher.idOf(await b.store.read(name));
      ok(name.includes(`-${id}-`), `${name} at call ${call}`);
      await b.store.remove(name);
    }
  }
});
