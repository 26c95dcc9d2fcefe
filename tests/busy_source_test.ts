// Saves of a directory that never holds still: whatever was read, the snapshot
// is sound.
import { deepEqual, ok } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { restore } from "@snap/restore";
import { save } from "@snap/save";
import { verify } from "@snap/snapshot/verify";
import {
  makeMemorySnapshots,
  noise,
  readDisk,
  readSnapshot,
  sameEntries,
  TemporaryFolder,
} from "./_snapshots.ts";

/** Grows, shrinks, rewrites, renames and removes files until it is told to stop. */
const PROGRAM = `
import { appendFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync,
  symlinkSync, truncateSync, writeFileSync } from "node:fs";
const source = Deno.args[0];
let seed = 1;
const below = (limit) => {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
  return (seed >>> 8) % limit;
};
const actions = [
  (path) => appendFileSync(path, new Uint8Array(below(5000)).fill(below(256))),
  (path) => truncateSync(path, below(3000)),
  (path) => writeFileSync(path, new Uint8Array(below(200000)).fill(below(256))),
  (path) => renameSync(path, source + "/" + below(5) + "/" + below(80)),
  (path) => rmSync(path, { force: true, recursive: true }),
  (path) => { rmSync(path, { force: true, recursive: true }); symlinkSync("x", path); },
  (path) => { rmSync(path, { force: true, recursive: true }); mkdirSync(path); },
];
console.log("begin");
for (;;) {
  appendFileSync(source + "/log", "line after line\\n");
  const path = source + "/" + below(5) + "/" + below(80);
  try {
    actions[below(actions.length)](path);
  } catch {
    // What is gone, or has become a directory.
  }
}
`;

for (const workers of [0, 2]) {
  Deno.test(`save of a source that never holds still is sound: ${workers} workers`, async () => {
    using folder = new TemporaryFolder();
    const source = folder.join("source");
    for (let i = 0; i < 400; i++) {
      const path = join(source, `${i % 5}`);
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, `${i / 5 | 0}`), noise(i * 100, i + 1));
    }
    // Grows all the time, and is large enough for the lane.
    writeFileSync(join(source, "log"), noise(34_000_000, 1));
    writeFileSync(folder.join("busy.js"), PROGRAM);
    const busy = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-config", folder.join("busy.js"), source],
      stdout: "piped",
    }).spawn();
    const reader = busy.stdout.getReader();
    await using snapshots = await makeMemorySnapshots();
    let changed = 0;
    try {
      await reader.read();
      for (let i = 0; i < 3; i++) {
        const result = await save(snapshots, source, { workers });
        changed += result.changed.length;
        const listing = await readSnapshot(snapshots, result.record);
        ok(listing.size > 20, `${listing.size} entries`);
        const target = folder.join(`target${i}`);
        const restored = await restore(snapshots, result.record, target, {
          workers: 1,
        });
        deepEqual(restored.errors, []);
        sameEntries(readDisk(target), listing);
      }
    } finally {
      busy.kill("SIGKILL");
      await Promise.all([busy.status, reader.cancel()]);
    }
    ok(changed > 0, "the log changed while it was read");
    deepEqual((await verify(snapshots, { data: true })).damages, []);
    // Now it holds still: the next snapshot is what there is.
    const last = await save(snapshots, source, { workers });
    deepEqual(last.errors, []);
    deepEqual(last.changed, []);
    sameEntries(await readSnapshot(snapshots, last.record), readDisk(source));
  });
}
