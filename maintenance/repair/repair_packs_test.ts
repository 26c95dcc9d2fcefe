import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { PackRole } from "@snap/pack";
import { formatRecordName } from "@snap/snapshot/records";
import { NotFoundError } from "@snap/store";
import { namesIn } from "../../tests/_snapshots.ts";
import { DamageScene } from "./_testing.ts";
import { prune } from "@snap/maintenance/prune";
import { repairPacks } from "./repair_packs.ts";
import { repairSnapshots } from "./repair_snapshots.ts";

Deno.test("repairPacks copies what is sound beside a rotten file, and tells of that file only", async () => {
  using scene = await DamageScene.make();
  const name = await scene.rot("b");
  deepStrictEqual(await scene.found(), []);
  const before = await scene.files();
  const { packs, soundPacks, storedByteCount } = await repairPacks(
    scene.snapshots,
  );
  deepStrictEqual(soundPacks, []);
  strictEqual(packs.length, 1);
  strictEqual(packs[0].name, name);
  strictEqual(packs[0].isNew, true);
  strictEqual(packs[0].lostCount, 1);
  ok(packs[0].copiedCount > 0);
  ok(storedByteCount > 0);
  // Nothing was removed, and it is known what is damaged without reading all.
  const after = new Set(await scene.files());
  ok(before.every((file) => after.has(file)));
  deepStrictEqual(await scene.found(), ["object disk b"]);
  deepStrictEqual(await scene.found({ data: true }), ["object disk b"]);
  await scene.store.remove(name);
  deepStrictEqual(await scene.found({ data: true }), [
    "object missing b",
    "pack missing",
  ]);
});

Deno.test("repairPacks copies nothing twice", async () => {
  using scene = await DamageScene.make();
  await scene.rot("a");
  const [first] = (await repairPacks(scene.snapshots)).packs;
  const before = await namesIn(scene.store, "packs/");
  const [again] = (await repairPacks(scene.snapshots)).packs;
  strictEqual(again.isNew, false);
  strictEqual(again.copiedCount, 0);
  strictEqual(again.heldCount, first.copiedCount + first.heldCount);
  strictEqual(again.lostCount, 1);
  deepStrictEqual(await namesIn(scene.store, "packs/"), before);
});

for (const role of [PackRole.data, PackRole.trees]) {
  const of = role === PackRole.data ? "data" : "trees";
  Deno.test(`repairPacks rescues all of a pack of ${of} that has lost its own table, by the index`, async () => {
    using scene = await DamageScene.make();
    for (const { name } of await scene.packs(role)) {
      await scene.damage(name, (bytes) => void (bytes[bytes.length - 1] ^= 1));
    }
    ok((await scene.found({ data: true })).length > 0);
    const { packs } = await repairPacks(scene.snapshots);
    for (const { isKnown, lostCount } of packs) {
      strictEqual(isKnown, true);
      strictEqual(lostCount, 0);
    }
    deepStrictEqual(await scene.found({ data: true }), []);
    // Nothing is needed of the damaged packs any more.
    for (const { name } of packs) await scene.store.remove(name);
    deepStrictEqual(await scene.found({ data: true }), []);
  });

  Deno.test(`repairPacks rescues the start of a pack of ${of} that was cut`, async () => {
    using scene = await DamageScene.make();
    const [{ name, table }] = await scene.packs(role);
    const end = table.tableOffset - 1;
    await scene.damage(name, (bytes) => bytes.slice(0, end));
    const { packs: [pack] } = await repairPacks(scene.snapshots);
    strictEqual(pack.isKnown, true);
    const lost = Array.from({ length: table.objectCount }, (_, row) => row)
      .filter((row) => table.frame(row) === table.frameCount - 1).length;
    strictEqual(pack.lostCount, lost);
    strictEqual(pack.copiedCount, table.objectCount - lost);
  });
}

Deno.test("repairPacks in a dry run says the same, and writes nothing", async () => {
  using scene = await DamageScene.make();
  await scene.rot("deep/c");
  const before = await scene.files();
  const dry = await repairPacks(scene.snapshots, { dryRun: true });
  deepStrictEqual(await scene.files(), before);
  const real = await repairPacks(scene.snapshots);
  deepStrictEqual(dry.packs, real.packs);
  strictEqual(dry.storedByteCount, 0);
});

Deno.test("repairPacks leaves a sound pack alone, and other damaged ones", async () => {
  using scene = await DamageScene.make();
  await scene.rot("a");
  const [{ name }] = await scene.packs(PackRole.trees);
  const before = await scene.files();
  const report = await repairPacks(scene.snapshots, { packs: [name] });
  deepStrictEqual(report.packs, []);
  deepStrictEqual(report.soundPacks, [name]);
  deepStrictEqual(await scene.files(), before);
  const none = `packs/00/${"0".repeat(64)}`;
  await rejects(
    repairPacks(scene.snapshots, { packs: [none] }),
    NotFoundError,
  );
});

Deno.test("repairPacks goes on where a run was killed after its marks", async () => {
  using scene = await DamageScene.make();
  await scene.rot("large", { at: 5000 });
  const { store } = scene;
  const create = store.create.bind(store);
  store.create = (name, bytes, options) =>
    name.startsWith("index/")
      ? Promise.reject(new Error("killed"))
      : create(name, bytes, options);
  await rejects(repairPacks(scene.snapshots), /killed/);
  store.create = create;
  const marks = await namesIn(store, "gc/bad/");
  strictEqual(marks.length, 1);
  const { packs: [pack] } = await repairPacks(scene.snapshots);
  strictEqual(pack.isNew, false);
  strictEqual(pack.lostCount, 1);
  deepStrictEqual(await namesIn(store, "gc/bad/"), marks);
  deepStrictEqual(await scene.found(), ["object disk large"]);
});

Deno.test("repairPacks does not take an object for held that another pack has rotten", async () => {
  using scene = await DamageScene.make();
  const name = await scene.rot("b");
  await repairPacks(scene.snapshots);
  const other = await scene.rot("a", { but: name });
  const { packs: [again] } = await repairPacks(scene.snapshots, {
    packs: [name],
  });
  // At least that one: a pack with a rotten object is not believed from there on.
  ok(again.copiedCount > 0);
  for (const pack of [name, other]) await scene.store.remove(pack);
  const lost = await scene.found({ data: true });
  ok(lost.includes("object missing b") && !lost.includes("object missing a"));
});

Deno.test("repairPacks says of a pack that nothing tells what it holds", async () => {
  using scene = await DamageScene.make();
  const [{ name }] = await scene.packs(PackRole.data);
  await scene.damage(name, (bytes) => void (bytes[bytes.length - 1] ^= 1));
  for (const table of await namesIn(scene.store, "index/")) {
    await scene.damage(
      table,
      (bytes) => void (bytes[bytes.length - 3000] ^= 1),
    );
  }
  const { packs: [pack] } = await repairPacks(scene.snapshots);
  strictEqual(pack.name, name);
  strictEqual(pack.isKnown, false);
});

Deno.test("a marked pack goes with prune once nothing but it is lost, and all else stays", async () => {
  using scene = await DamageScene.make();
  const name = await scene.rot("b");
  await repairPacks(scene.snapshots);
  const { snapshots: [found] } = await repairSnapshots(scene.snapshots);
  const options = { singleWriter: true };
  // While a snapshot has what is lost, nothing of it goes.
  await prune(scene.snapshots, { ...options, despite: [found.old.record] })
    .catch((error) => strictEqual(error.name, "BrokenSnapshotError"));
  deepStrictEqual(await scene.found(), ["object disk b"]);
  await scene.store.remove(formatRecordName(found.old));
  await prune(scene.snapshots, options);
  strictEqual(await scene.store.size(name), undefined);
  deepStrictEqual(await scene.found({ data: true }), []);
  deepStrictEqual(
    await scene.found({ records: [found.record!], data: true }),
    [],
  );
});

Deno.test("a save stores again what a marked pack has lost, and all snapshots have it back", async () => {
  using scene = await DamageScene.make();
  await scene.rot("b");
  await scene.rot("large", { at: 20_000 });
  await repairPacks(scene.snapshots);
  deepStrictEqual(await scene.found(), [
    "object disk b",
    "object disk large",
  ]);
  await scene.save();
  deepStrictEqual(await scene.found({ data: true }), []);
  const { snapshots } = await repairSnapshots(scene.snapshots);
  deepStrictEqual(snapshots, []);
  const { packs } = await repairPacks(scene.snapshots);
  for (const pack of packs) {
    deepStrictEqual([pack.copiedCount, pack.lostCount], [0, 0]);
    await scene.store.remove(pack.name);
  }
  deepStrictEqual(await scene.found({ data: true }), []);
});
