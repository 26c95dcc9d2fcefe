// What has to be so once nothing goes wrong any more.
import { deepStrictEqual } from "node:assert/strict";
import { listRecordNames } from "@snap/snapshot/records";
import { NO_RECORD } from "@snap/store/format";
import { sync } from "@snap/sync";
import { pruneOnce, readAll, readForgotten, readTags } from "./actors.ts";
import { AHEAD_MS, type Scene } from "./scene.ts";
import { Process } from "./scheduler.ts";

/** How often two sides are synced until they must be equal. */
const ROUNDS_MAX = 4;

/** Removes what nothing needs, twice, while nobody else is at work. */
export async function removeRest(scene: Scene): Promise<void> {
  for (const side of scene.sides) {
    for (const round of [1, 2]) {
      const process = new Process(`cleaner ${round}`);
      await pruneOnce(scene.actor(process, side), side.aheadMs += AHEAD_MS);
    }
  }
}

/** Nothing goes wrong any more: both sides become equal; gives how many records were copied. */
export async function makeEqual(scene: Scene): Promise<number> {
  let copyCount = 0;
  // What has been decided is done: a record that is not to count goes by it.
  if (scene.hasPruners) await removeRest(scene);
  const [a, b] = scene.sides;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const process = new Process(`healer ${round}`);
    const sides = scene.peers(process, a, b);
    const env = scene.env(process, a.skewMs);
    const gone = await forgottenRecords(scene, "gone");
    // What is forgotten stays away by itself; it goes elsewhere only if that is wanted.
    const report = await sync(...sides, {
      env,
      ...(round === 0 ? {} : { mirror: "forgets" }),
    });
    const back = (await forgottenRecords(scene, "live"))
      .find((one) => gone.includes(one));
    if (back !== undefined) {
      scene.scheduler.violate(`What was forgotten came back: ${back}`);
    }
    copyCount += report.recordsCopied;
    const { recordsCopied, recordsRemoved, tagEntries, errors } = report;
    if (errors.length > 0) {
      scene.scheduler.violate(
        `Nothing goes wrong, and a copy fails: ${errors[0].message}`,
        errors[0],
      );
    }
    const isNothing = recordsCopied + recordsRemoved + tagEntries === 0;
    if (isNothing && round > 0) return copyCount;
  }
  scene.scheduler.violate(`Not equal after ${ROUNDS_MAX} rounds`);
}

/** Sides and the records that they have forgotten: those that are gone, or there all the same. */
async function forgottenRecords(
  scene: Scene,
  which: "gone" | "live",
): Promise<string[]> {
  const found: string[] = [];
  for (const { disk: { name, files } } of scene.sides) {
    const names = await listRecordNames(files);
    for (const id of await readForgotten(files)) {
      const isLive = names.some(({ record }) => record === id);
      if (isLive === (which === "live")) found.push(`${name} ${id}`);
    }
  }
  return found;
}

/** Reads all that there is, and compares the stores. */
export async function lookAtAll(scene: Scene): Promise<void> {
  const process = new Process("inspector");
  const found: unknown[] = [];
  const forgotten = new Set<string>();
  for (const { disk } of scene.sides) {
    for (const id of await readForgotten(disk.files)) forgotten.add(id);
  }
  for (const side of scene.sides) {
    if (scene.isHostile && side.disk.name === "A") continue;
    const { files, name } = side.disk;
    const actor = { ...scene.actor(process, side), store: files };
    // Where a removal was interrupted, the next one who forgets finishes it.
    const records = (await readAll(actor)).filter((id) => !forgotten.has(id));
    const tags = await readTags(files);
    found.push({ records, tags });
    if (scene.isHostile) return;
    // A tag that is deleted names nothing.
    const lost = tags.find(({ record }) =>
      record !== NO_RECORD && !records.includes(record) &&
      !forgotten.has(record)
    );
    if (lost !== undefined) {
      scene.scheduler.violate(
        `Tag ${lost.name} of ${name} names ${lost.record}, which is not there`,
      );
    }
  }
  try {
    deepStrictEqual(found[0], found[1]);
  } catch (cause) {
    scene.scheduler.violate("The stores are not equal in the end", cause);
  }
}
