import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { PackRole } from "@snap/pack";
import { displayPath } from "@snap/manifest/path";
import { restore } from "@snap/restore";
import type { NamedRecord } from "@snap/snapshot/records";
import { countTotals } from "@snap/snapshot/write";
import { idToBytes } from "@snap/hash";
import { namesIn, readDisk, TemporaryFolder } from "../../tests/_snapshots.ts";
import { DamageScene } from "./_testing.ts";
import { repairPacks } from "./repair_packs.ts";
import { repairSnapshots } from "./repair_snapshots.ts";

/** Restores a snapshot; gives the paths that it has. */
async function restored(
  { snapshots }: DamageScene,
  record: NamedRecord,
): Promise<string[]> {
  await snapshots.refresh();
  using folder = new TemporaryFolder();
  const target = folder.join("target");
  const { errors } = await restore(snapshots, record, target);
  deepStrictEqual(errors, []);
  return [...readDisk(target).keys()].sort();
}

Deno.test("repairSnapshots finds nothing to do in a sound store, and writes nothing", async () => {
  using scene = await DamageScene.make();
  const before = await scene.files();
  const report = await repairSnapshots(scene.snapshots);
  deepStrictEqual(report, { recordCount: 1, snapshots: [], unreadable: [] });
  deepStrictEqual(await scene.files(), before);
});

Deno.test("repairSnapshots writes a record without the lost file, which names it", async () => {
  using scene = await DamageScene.make();
  const [old] = await scene.snapshots.records();
  await scene.rot("deep/c");
  await repairPacks(scene.snapshots);
  const { snapshots: [found] } = await repairSnapshots(scene.snapshots);
  deepStrictEqual(found.lost.paths.map(displayPath), ["deep/c"]);
  const record = found.record!;
  strictEqual(record.repairOf, old.record);
  strictEqual(record.source, old.source);
  ok(record.time > old.time);
  deepStrictEqual(record.unreadable, { count: 1, first: ["deep/c"] });
  strictEqual(record.totals.fileCount, old.totals.fileCount - 1);
  strictEqual(record.totals.byteCount, old.totals.byteCount - 3500);
  const all = ["a", "b", "deep", "deep/er", "deep/er/d", "large"];
  const paths = await restored(scene, record);
  deepStrictEqual(paths.filter((path) => path !== "" && path !== "."), all);
  // The new one is whole, the old one stays.
  deepStrictEqual(await scene.found({ records: [record], data: true }), []);
  strictEqual((await scene.snapshots.records()).length, 2);
  // Once more: it is known.
  const { snapshots: [again] } = await repairSnapshots(scene.snapshots);
  strictEqual(again.isKnown, true);
  strictEqual(again.record!.record, record.record);
  strictEqual((await scene.snapshots.records()).length, 2);
});

Deno.test("repairSnapshots leaves a large file out of which one chunk is lost", async () => {
  using scene = await DamageScene.make();
  await scene.rot("large", { at: 30_000 });
  await repairPacks(scene.snapshots);
  const { snapshots: [found] } = await repairSnapshots(scene.snapshots);
  deepStrictEqual(found.lost.paths.map(displayPath), ["large"]);
});

Deno.test("repairSnapshots in a dry run says the same, and writes nothing", async () => {
  using scene = await DamageScene.make();
  await scene.rot("a");
  await repairPacks(scene.snapshots);
  const before = await scene.files();
  const dry = await repairSnapshots(scene.snapshots, { dryRun: true });
  deepStrictEqual(await scene.files(), before);
  const real = await repairSnapshots(scene.snapshots);
  strictEqual(dry.snapshots[0].record, undefined);
  strictEqual(dry.snapshots[0].tree, real.snapshots[0].tree);
  deepStrictEqual(dry.snapshots[0].lost, real.snapshots[0].lost);
});

Deno.test("repairSnapshots repairs every snapshot that has the lost file, each once", async () => {
  using scene = await DamageScene.make();
  scene.put("more", new TextEncoder().encode("more"));
  await scene.save();
  await scene.rot("a");
  await repairPacks(scene.snapshots);
  const { snapshots } = await repairSnapshots(scene.snapshots);
  strictEqual(snapshots.length, 2);
  strictEqual(new Set(snapshots.map(({ tree }) => tree)).size, 2);
  const writers = snapshots.map(({ record }) => record!.writer);
  strictEqual(new Set(writers).size, 2);
  for (const { record } of snapshots) {
    deepStrictEqual(await scene.found({ records: [record!], data: true }), []);
    const reader = await scene.snapshots.reader();
    const treeId = idToBytes(record!.tree), pageId = idToBytes(record!.page);
    const ids = { treeId, pageId };
    const totals = await countTotals(reader, ids, { entryCountMax: 100 });
    deepStrictEqual(record!.totals, totals);
  }
});

Deno.test("repairSnapshots keeps what is left, whichever tree, page or recipe is lost", async () => {
  const outcomes = new Set<string>();
  using whole = await DamageScene.make();
  const packs = await whole.packs(PackRole.trees);
  const places = packs.flatMap(({ name, table }) =>
    Array.from({ length: table.objectCount }, (_, row) => ({
      ...{ name, table, row },
    }))
  );
  for (const { name, table, row } of places) {
    const scene = await whole.copy();
    const at = table.frameOffset(table.frame(row)) + table.offset(row) +
      (table.size(row) >> 1);
    await scene.damage(name, (bytes) => void (bytes[at] ^= 1));
    const { packs: [pack] } = await repairPacks(scene.snapshots);
    strictEqual(pack.lostCount, 1);
    const { snapshots: [found] } = await repairSnapshots(scene.snapshots);
    const { record, lost: { paths, attributeCount } } = found;
    const names = paths.map((path) => displayPath(path) || "/");
    outcomes.add(`lost: ${names.join()}, attributes: ${attributeCount}`);
    if (record === undefined) continue;
    const kept = await restored(scene, record);
    ok(names.every((path) => !kept.includes(path)));
    deepStrictEqual(
      await scene.found({ records: [record], data: true }),
      [],
    );
    strictEqual(record.unreadable.count, paths.length);
    strictEqual(record.fidelity, attributeCount > 0 ? "reduced" : "full");
  }
  deepStrictEqual([...outcomes].sort(), [
    "lost: , attributes: 1",
    "lost: , attributes: 2",
    "lost: , attributes: 3",
    "lost: /, attributes: 0",
    "lost: deep, attributes: 0",
    "lost: deep/er, attributes: 0",
    "lost: large, attributes: 0",
  ]);
});

Deno.test("repairSnapshots goes without an index table that is damaged", async () => {
  using scene = await DamageScene.make();
  const pack = await scene.rot("a");
  await scene.store.remove(pack);
  for (const name of await namesIn(scene.store, "index/")) {
    await scene.damage(name, (bytes) => void (bytes[bytes.length - 3000] ^= 1));
  }
  const { snapshots: [found] } = await repairSnapshots(scene.snapshots);
  ok(found.lost.paths.map(displayPath).includes("a"));
  const damages = await scene.found({ records: [found.record!], data: true });
  deepStrictEqual(damages.filter((one) => !one.startsWith("index")), []);
});
