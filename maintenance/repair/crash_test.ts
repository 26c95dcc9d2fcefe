import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { displayPath } from "@snap/manifest/path";
import { formatRecordName } from "@snap/snapshot/records";
import { DamageScene } from "./_testing.ts";
import { recoverTrees } from "./recover_trees.ts";
import { repairIndex } from "./repair_index.ts";
import { repairPacks } from "./repair_packs.ts";
import { repairSnapshots } from "./repair_snapshots.ts";

/** Has the store fail from the n-th file on that it is to take; gives what ends that. */
function failFrom(scene: DamageScene, count: number): () => boolean {
  const { store } = scene;
  const create = store.create.bind(store), adopt = store.adopt.bind(store);
  let left = count;
  const fail = (): void => {
    if (left-- <= 0) throw new Error("crash");
  };
  store.create = async (...args) => {
    fail();
    return await create(...args);
  };
  store.adopt = async (...args) => {
    fail();
    return await adopt(...args);
  };
  return () => {
    store.create = create;
    store.adopt = adopt;
    return left < 0;
  };
}

async function mendAll({ snapshots }: DamageScene): Promise<void> {
  await repairIndex(snapshots);
  await repairPacks(snapshots);
  await repairSnapshots(snapshots);
  await recoverTrees(snapshots);
}

Deno.test("repairs that end at any file are done again, and come to the same end", async () => {
  using whole = await DamageScene.make();
  const [gone] = await whole.snapshots.records();
  whole.put("more", new TextEncoder().encode("more"));
  const old = await whole.save();
  await whole.store.remove(formatRecordName(gone));
  await whole.rot("b");
  let hasCrashed = true;
  for (let count = 0; hasCrashed; count++) {
    const scene = await whole.copy();
    const end = failFrom(scene, count);
    await mendAll(scene).catch((error) => {
      if (error.message !== "crash") throw error;
    });
    hasCrashed = end();
    ok(count < 100);
    await mendAll(scene);
    const records = await scene.snapshots.records();
    const repaired = records.filter((one) => one.repairOf === old.record);
    strictEqual(repaired.length, 1, `after ${count} files`);
    const recovered = records.filter((one) => one.source === "recovered");
    strictEqual(recovered.length, 1, `after ${count} files`);
    for (const record of [...repaired, ...recovered]) {
      const options = { records: [record], data: true };
      deepStrictEqual(await scene.found(options), []);
      deepStrictEqual(record.unreadable.first, ["b"]);
    }
    const { snapshots: [again] } = await repairSnapshots(scene.snapshots);
    deepStrictEqual(again.lost.paths.map(displayPath), ["b"]);
  }
});
