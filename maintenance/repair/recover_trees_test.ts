import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { displayPath } from "@snap/manifest/path";
import { formatRecordName } from "@snap/snapshot/records";
import { namesIn } from "../../tests/_snapshots.ts";
import { DamageScene } from "./_testing.ts";
import { recoverTrees } from "./recover_trees.ts";
import { repairPacks } from "./repair_packs.ts";

Deno.test("recoverTrees finds nothing where records name all trees", async () => {
  using scene = await DamageScene.make();
  const { trees, packCount } = await recoverTrees(scene.snapshots);
  deepStrictEqual(trees, []);
  ok(packCount > 0);
});

for (
  const [what, damage] of [
    ["is gone", undefined],
    ["is damaged", (bytes: Uint8Array) => void (bytes[100] ^= 1)],
  ] as const
) {
  Deno.test(`recoverTrees writes a record of a snapshot whose record ${what}`, async () => {
    using scene = await DamageScene.make();
    const [old] = await scene.snapshots.records();
    const name = formatRecordName(old);
    if (damage === undefined) await scene.store.remove(name);
    else await scene.damage(name, damage);
    const before = await scene.files();
    const dry = await recoverTrees(scene.snapshots, { dryRun: true });
    deepStrictEqual(await scene.files(), before);
    const { trees: [found, ...others] } = await recoverTrees(scene.snapshots);
    deepStrictEqual(others, []);
    strictEqual(dry.trees[0].tree, found.tree);
    strictEqual(found.tree, old.tree);
    const record = found.record!;
    strictEqual(record.page, old.page);
    deepStrictEqual(record.totals, old.totals);
    ok(record.time <= old.time);
    deepStrictEqual(await scene.found({ records: [record], data: true }), []);
    // Once more: it has a record now.
    deepStrictEqual((await recoverTrees(scene.snapshots)).trees, []);
  });
}

Deno.test("recoverTrees finds a directory whose record is damaged also where another snapshot has it", async () => {
  using scene = await DamageScene.make();
  const [old] = await scene.snapshots.records();
  await scene.store.remove(formatRecordName(old));
  const inner = await scene.saveFolder("deep");
  const outer = await scene.save();
  await scene.damage(formatRecordName(inner), (bytes) => void (bytes[99] ^= 1));
  const { trees } = await recoverTrees(scene.snapshots);
  deepStrictEqual(trees.map(({ tree }) => tree), [inner.tree]);
  ok(outer.tree !== inner.tree);
});

Deno.test("recoverTrees leaves out what is lost, and names it", async () => {
  using scene = await DamageScene.make();
  const [old] = await scene.snapshots.records();
  await scene.rot("b");
  await repairPacks(scene.snapshots);
  await scene.store.remove(formatRecordName(old));
  const { trees: [found] } = await recoverTrees(scene.snapshots);
  deepStrictEqual(found.lost.paths.map(displayPath), ["b"]);
  deepStrictEqual(found.record!.unreadable, { count: 1, first: ["b"] });
  strictEqual((await recoverTrees(scene.snapshots)).trees.length, 0);
});

Deno.test("recoverTrees passes trees of killed saves unless it is asked for them", async () => {
  using scene = await DamageScene.make();
  const [old] = await scene.snapshots.records();
  await scene.store.remove(formatRecordName(old));
  for (const name of await namesIn(scene.store, "index/")) {
    await scene.store.remove(name);
  }
  await scene.snapshots.refresh();
  const options = { dryRun: true };
  deepStrictEqual((await recoverTrees(scene.snapshots, options)).trees, []);
  const { trees } = await recoverTrees(scene.snapshots, {
    ...options,
    unfinished: true,
  });
  deepStrictEqual(trees.map(({ tree }) => tree), [old.tree]);
});

Deno.test("recoverTrees takes the trees that are asked for", async () => {
  using scene = await DamageScene.make();
  scene.put("more", new TextEncoder().encode("more"));
  const second = await scene.save();
  for (const record of await scene.snapshots.records()) {
    await scene.store.remove(formatRecordName(record));
  }
  const all = await recoverTrees(scene.snapshots, { dryRun: true });
  strictEqual(all.trees.length, 2);
  const { tree } = second;
  const { trees } = await recoverTrees(scene.snapshots, { trees: [tree] });
  deepStrictEqual(trees.map((one) => one.tree), [tree]);
});
