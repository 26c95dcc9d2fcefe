// Saves that are killed: whatever the moment, a snapshot that is there is whole,
// and the next save is, too.
import { deepEqual, equal, ok } from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { save } from "@snap/save";
import { restore } from "@snap/restore";
import type { StoreSettings } from "@snap/store/format";
import type { Snapshots } from "@snap/snapshot";
import { verify } from "@snap/snapshot/verify";
import { openFileStore } from "@snap/store/file";
import type { CrashPlan } from "./_crash_save.ts";
import { Prng, seedOfRun } from "./_prng.ts";
import {
  makeFileStore,
  noise,
  open,
  readDisk,
  readEverything,
  sameEntries,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "./_snapshots.ts";

const PROGRAM = new URL("./_crash_save.ts", import.meta.url).pathname;
const STRACE = "/usr/bin/strace";
/** Kills of the larger save; more with an environment variable. */
const KILL_COUNT = Number(Deno.env.get("SNAP_KILLS") ?? 10);

/** Runs the program; tells whether it came to its end. */
async function run(plan: CrashPlan, before: string[] = []): Promise<boolean> {
  const { success, signal, stderr } = await start(plan, before).output();
  const text = new TextDecoder().decode(stderr);
  ok(success || signal === "SIGKILL" || before.length > 0, text);
  return success;
}

function start(plan: CrashPlan, before: string[] = []): Deno.ChildProcess {
  const [program, ...args] = [
    ...before,
    Deno.execPath(),
    "run",
    "-A",
    "--no-check",
    PROGRAM,
    JSON.stringify(plan),
  ];
  return new Deno.Command(program, { args, stdout: "piped", stderr: "piped" })
    .spawn();
}

/** Runs the program and kills it so long after it has begun; tells whether it was over by then. */
async function runFor(plan: CrashPlan, ms: number): Promise<boolean> {
  const child = start(plan);
  const reader = child.stdout.getReader();
  await reader.read();
  // The moment is what is tested: there is no event to wait for.
  const timer = setTimeout(() => kill(child), ms);
  const { success } = await child.status;
  clearTimeout(timer);
  await Promise.all([reader.cancel(), child.stderr.cancel()]);
  return success;
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It was over just now.
  }
}

/** The store is sound, and so are a save, a restore and a verify after it. */
async function checkAfter(
  snapshots: Snapshots<Awaited<ReturnType<typeof openFileStore>>>,
  folder: TemporaryFolder,
): Promise<number> {
  await readEverything(snapshots);
  equal((await verify(snapshots, { data: true })).damageCount, 0);
  const source = folder.join("source");
  const result = await save(snapshots, source, { workers: 2 });
  const report = await verify(snapshots, { data: true });
  deepEqual(report.damages, []);
  const target = folder.join("target");
  const { errors } = await restore(snapshots, result.record, target);
  deepEqual(errors, []);
  sameEntries(readDisk(target), readDisk(source));
  rmSync(target, { recursive: true });
  return result.storedByteCount;
}

function makeSmallSource(path: string): void {
  mkdirSync(join(path, "sub"), { recursive: true });
  for (let i = 0; i < 20; i++) {
    writeFileSync(join(path, "sub", `${i}`), noise(500 * i, i + 1));
  }
  writeFileSync(join(path, "large"), noise(90_000, 99));
}

/** Packs of about 64 KiB, each with an index. */
const SMALL_PLAN = { workers: 0, indexByteCount: 1 };

Deno.test("save that is killed before or after any write leaves a sound store", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  makeSmallSource(source);
  let moment = 0;
  for (let isDone = false; !isDone;) {
    const store = folder.join(`store${++moment}`);
    await makeFileStore(store, SMALL_SETTINGS);
    isDone = await run({ ...SMALL_PLAN, store, source, killAt: moment });
    await using snapshots = await open(await openFileStore(store));
    ok(!isDone || (await snapshots.records()).length > 0);
    await checkAfter(snapshots, folder);
    rmSync(store, { recursive: true });
  }
  ok(moment > 10, `${moment} moments`);
});

Deno.test("second save that is killed before or after any write leaves a sound store", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  makeSmallSource(source);
  const store = folder.join("store");
  await makeFileStore(store, SMALL_SETTINGS);
  await run({ ...SMALL_PLAN, store, source, killAt: 0 });
  for (let moment = 1; moment < 12; moment++) {
    // The store of the kill before is good enough for the next.
    writeFileSync(join(source, "new"), noise(70_000, moment));
    await run({ ...SMALL_PLAN, store, source, killAt: moment });
    await using snapshots = await open(await openFileStore(store));
    await checkAfter(snapshots, folder);
  }
});

Deno.test("save that is killed at a call of the system leaves a sound store", {
  ignore: !hasStrace(),
}, async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  makeSmallSource(source);
  const calls = "fdatasync,fsync,link,linkat,unlink,unlinkat";
  let number = 0;
  for (let isDone = false; !isDone;) {
    number += 2;
    const store = folder.join(`store${number}`);
    await makeFileStore(store, SMALL_SETTINGS);
    isDone = await run({ ...SMALL_PLAN, store, source, killAt: 0 }, [
      STRACE,
      "-f",
      "-qq",
      "-o",
      "/dev/null",
      "-e",
      `trace=${calls}`,
      "-e",
      `inject=${calls}:signal=KILL:when=${number}`,
    ]);
    await using snapshots = await open(await openFileStore(store));
    await checkAfter(snapshots, folder);
    rmSync(store, { recursive: true });
  }
  ok(number > 10, `${number} calls`);
});

/** Whether calls of the system can be made to kill. */
function hasStrace(): boolean {
  try {
    const args = ["-f", "-o", "/dev/null", "true"];
    return new Deno.Command(STRACE, { args, stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

/** Packs of 256 KiB, and an index with every fourth. */
const LARGE_SETTINGS: StoreSettings = {
  ...SMALL_SETTINGS,
  chunk: {
    ...SMALL_SETTINGS.chunk,
    sizeMin: 4096,
    sizeAverage: 8192,
    sizeMax: 32768,
  },
  bundleSizeMax: 65536,
  largeFrameTarget: 16384,
  packSizeTarget: 256 * 1024,
};

Deno.test("save with workers that is killed at any moment is resumed", async (t) => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  for (let i = 0; i < 1500; i++) {
    const path = join(source, `${i % 13}`, `${i % 7}`);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, `${i}`), noise(i * 10, i + 1));
  }
  writeFileSync(join(source, "large"), noise(34_000_000, 1));
  const plan = {
    source,
    workers: 2,
    killAt: 0,
    indexByteCount: 2 ** 20,
    store: folder.join("store"),
  };
  await makeFileStore(plan.store, LARGE_SETTINGS);
  const begin = performance.now();
  ok(await runFor(plan, 60_000));
  const wholeMs = performance.now() - begin;
  await using whole = await open(await openFileStore(plan.store));
  const wholeSize = await indexedSize(whole);
  rmSync(plan.store, { recursive: true });

  const prng = new Prng(seedOfRun());
  let resumedCount = 0;
  for (let i = 0; i < KILL_COUNT; i++) {
    const delay = Math.round(prng.unit() * wholeMs);
    await t.step(
      `SNAP_SEED=${prng.seed}, kill ${i} after ${delay} ms`,
      async () => {
        await makeFileStore(plan.store, LARGE_SETTINGS);
        const success = await runFor(plan, delay);
        await using snapshots = await open(await openFileStore(plan.store));
        const { length } = await snapshots.records();
        ok(length > 0 || !success);
        const indexed = await indexedSize(snapshots);
        if (indexed > 0) resumedCount++;
        const stored = await checkAfter(snapshots, folder);
        ok(
          stored <= wholeSize - indexed + 2 ** 20,
          `${stored} bytes were stored beside ${indexed} that were indexed of ${wholeSize}`,
        );
        rmSync(plan.store, { recursive: true });
      },
    );
  }
  console.log(`${resumedCount} of ${KILL_COUNT} kills left an index behind`);
});

/** Bytes of packs that the index tells of. */
async function indexedSize(snapshots: Snapshots): Promise<number> {
  await snapshots.refresh();
  let size = 0;
  for await (const batch of (await snapshots.index()).packs()) {
    for (const { packSize } of batch) size += packSize;
  }
  return size;
}

Deno.test("save goes on beside another one that is killed", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  makeSmallSource(source);
  const store = folder.join("store");
  await makeFileStore(store, SMALL_SETTINGS);
  await using snapshots = await open(await openFileStore(store));
  for (let killAt = 2; killAt < 12; killAt += 3) {
    writeFileSync(join(source, "new"), noise(70_000, killAt));
    await Promise.all([
      run({ ...SMALL_PLAN, store, source, killAt }),
      save(snapshots, source),
    ]);
    await checkAfter(snapshots, folder);
  }
});
