// Saves that are told to stop.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { save } from "@snap/save";
import { makeSource, recordCount } from "./_faults.ts";
import { LATER, saveAndCompare } from "./_saves.ts";
import {
  leftovers,
  makeFileStore,
  makeMemorySnapshots,
  namesIn,
  noise,
  open,
  readEverything,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "./_snapshots.ts";

Deno.test("save hears a signal within a second and throws its reason", async (t) => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  makeSource(source);
  writeFileSync(join(source, "large1"), noise(60_000_000, 1));
  for (let i = 0; i < 40; i++) {
    writeFileSync(join(source, `mid${i}`), noise(3_000_000, i));
  }
  for (const workers of [0, 1, 2]) {
    for (const files of [0, 1, 300, 640]) {
      await t.step(`${workers} workers, after ${files} files`, async () => {
        const store = await makeFileStore(folder.join(`${workers}-${files}`));
        await using snapshots = await open(store);
        const controller = new AbortController();
        const reason = new Error("Enough");
        let abortedAt = 0;
        const abort = (): void => {
          if (abortedAt > 0) return;
          abortedAt = performance.now();
          controller.abort(reason);
        };
        if (files === 0) setTimeout(abort, 0);
        const saving = save(snapshots, source, {
          workers,
          // Some are stopped while the claims are emptied.
          claimSlots: 256,
          signal: controller.signal,
          onProgress: ({ fileCount }) => fileCount >= files && abort(),
        });
        await rejects(saving, (error) => error === reason);
        const waited = performance.now() - abortedAt;
        ok(waited < 1000, `It took ${waited} ms`);
        equal(await recordCount(store), 0);
        deepEqual(leftovers(store), []);
        await readEverything(snapshots);
        rmSync(store.path, { recursive: true });
      });
    }
  }
});

Deno.test("save with a signal that was given before does nothing", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  makeSource(source);
  const store = await makeFileStore(folder.join("store"));
  const names = await namesIn(store);
  await using snapshots = await open(store);
  const reason = new Error("Enough");
  const signal = AbortSignal.abort(reason);
  await rejects(save(snapshots, source, { signal }), (e) => e === reason);
  deepEqual(await namesIn(store), names);
  deepEqual(leftovers(store), []);
});

Deno.test("save keeps finished packs of a save that was stopped", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  mkdirSync(source);
  for (let i = 0; i < 60; i++) {
    writeFileSync(join(source, `${i}`), noise(100_000, i + 1));
  }
  await using snapshots = await makeMemorySnapshots({
    ...SMALL_SETTINGS,
    packSizeTarget: 500_000,
  });
  const controller = new AbortController();
  await rejects(save(snapshots, source, {
    signal: controller.signal,
    onProgress: ({ fileCount }) => {
      if (fileCount >= 41) controller.abort(new Error("Enough"));
    },
  }));
  const whole = 6_000_000;
  const result = await saveAndCompare(snapshots, source, LATER);
  ok(result.storedByteCount < 0.6 * whole, `${result.storedByteCount}`);
});
