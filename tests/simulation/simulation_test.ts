// Two stores, all who use them, and all that can go wrong: as many seeds as there is time for.
import {
  deepStrictEqual,
  match,
  notEqual,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { readdirSync } from "node:fs";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { noneCodec } from "@snap/pack/codecs";
import { ObjectKind, packName, PackRole } from "@snap/pack";
import { FrameBuilder, PackWriter } from "@snap/pack/write";
import { encodeDocument } from "@snap/store/format";
import { listFiles, readPackages, readText } from "../../_tools/workspace.ts";
import { Prng, seedOfRun } from "../_prng.ts";
import { TemporaryFolder } from "../_snapshots.ts";
import { contentId, TestSnapshots } from "../_test_snapshots.ts";
import { type Level, LEVELS, SITES } from "./faults.ts";
import { describe, simulateMany } from "./many.ts";
import { Oracle } from "./oracle.ts";
import { KilledError, Process, Scheduler } from "./scheduler.ts";
import { shrink } from "./shrink.ts";
import { type Outcome, simulate } from "./simulation.ts";

/** The first seed: the same for every commit, as a run takes what only thousands can show. */
const FIRST_SEED = Deno.env.has("SNAP_SEED") ? seedOfRun() : 1;

/** Runs of each level. */
const RUN_COUNTS: Readonly<Record<Level, number>> = {
  normal: 200,
  adversarial: 200,
  hostile: 100,
};

for (const level of LEVELS) {
  Deno.test(`no rule is broken at level ${level}`, async () => {
    const count = RUN_COUNTS[level];
    const summary = await simulateMany({ level, seed: FIRST_SEED, count });
    if (summary.failed !== undefined) {
      throw new Error(describe(summary.failed), {
        cause: summary.failed.outcome.failure,
      });
    }
    ok(summary.saveCount > count && summary.copyCount > count);
    ok(summary.faults.size > 8);
    const hasPruners = level !== "hostile";
    strictEqual(summary.removedPackCount > count / 2, hasPruners);
  });

  Deno.test(`a seed gives the same run each time at level ${level}`, async () => {
    using folder = new TemporaryFolder();
    const options = { level, folder: folder.path };
    // One in which packs are removed.
    const seed = 4 * FIRST_SEED;
    const [one, again, other] = [
      await simulate({ ...options, seed }),
      await simulate({ ...options, seed }),
      await simulate({ ...options, seed: seed + 1 }),
    ];
    deepStrictEqual(again, one);
    notEqual(other.traceHash, one.traceHash);
    deepStrictEqual(readdirSync(folder.path), []);
  });
}

Deno.test("what the system draws and tells is its own again after a run", async () => {
  using folder = new TemporaryFolder();
  await simulate({ seed: 1, level: "normal", folder: folder.path });
  const draw = (): string => crypto.getRandomValues(new Uint8Array(16)).toHex();
  notEqual(draw(), draw());
  ok(performance.now() > 0);
  ok(Math.abs(Date.now() - new Date().getTime()) < 60_000);
});

Deno.test("no package knows where a run makes something go wrong", async () => {
  const folders = readPackages().map(({ folder }) => `${folder}/`);
  const isSource = (path: string): boolean =>
    path.endsWith(".ts") && folders.some((folder) => path.startsWith(folder));
  const sources = (await listFiles()).filter(isSource);
  ok(sources.length > 100);
  for (const path of sources) {
    const text = readText(path);
    const known = SITES.hostile.filter((site) => text.includes(`"${site}"`));
    deepStrictEqual(known, [], path);
  }
});

Deno.test("the shortest run that fails is found", async () => {
  // Stands for a run that breaks a rule with its 7th fault, at step 90.
  const run = (
    { faults = 50, steps = 400 }: { faults?: number; steps?: number },
  ): Promise<Outcome> => {
    const isBroken = faults >= 7 && steps >= 90;
    const outcome = {
      ...{ stepCount: Math.min(steps, 400), faultCount: Math.min(faults, 50) },
      ...{ faults: new Map(), traceHash: "", lastNotes: ["the end"] },
      ...{ copyCount: 0, saveCount: 0, removedPackCount: 0 },
    };
    const failure = new Error("It broke");
    return Promise.resolve(isBroken ? { ...outcome, failure } : outcome);
  };
  const options = { seed: 3, level: "normal" as const, folder: "" };
  const shrunk = await shrink(options, await run({}), run);
  deepStrictEqual([shrunk.options.faults, shrunk.options.steps], [7, 90]);
  match(
    describe(shrunk),
    /^Seed 3 fails at level normal: It broke\n[^]*simulate --seed 3 --level normal --faults 7 --steps 90$/,
  );
});

Deno.test("a schedule in which everything waits for ever ends", async () => {
  const scheduler = new Scheduler(new Prng(1));
  const never = new Promise<void>(() => {});
  await rejects(scheduler.run(never, 10), /waits for ever/);
});

Deno.test("a schedule without end ends", async () => {
  const scheduler = new Scheduler(new Prng(1));
  const process = new Process("one that goes round");
  const goRound = async (): Promise<void> => {
    for (;;) await scheduler.turn(process, "once more");
  };
  await rejects(scheduler.run(goRound(), 10), /No end after 10 steps/);
});

Deno.test("a process that is killed has no turn any more", async () => {
  const scheduler = new Scheduler(new Prng(1));
  const process = new Process("short-lived");
  const turn = scheduler.turn(process, "in vain");
  scheduler.kill(process);
  await rejects(turn, KilledError);
  await rejects(scheduler.turn(process, "later"), KilledError);
});

/** A pack with one object, true or not. */
function packOf(bytes: Uint8Array, id: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  const writer = new PackWriter({
    sink: { write: (part) => void parts.push(part.slice()) },
    ...{ role: PackRole.data, codec: noneCodec, hasher },
    ...{ saveId: new Uint8Array(16), salt: new Uint8Array(32) },
  });
  const frame = new FrameBuilder();
  frame.add(bytes, id, 0, ObjectKind.content);
  writer.addFrame(frame.plain(), frame.rows);
  writer.finish();
  return new Uint8Array(Buffer.concat(parts));
}

function nameOf(pack: Uint8Array): string {
  const id = new Uint8Array(32);
  hasher.hashInto(pack, id);
  return packName(id);
}

Deno.test("the oracle notices an object that is not what its id says", () => {
  const bytes = new TextEncoder().encode("some bytes");
  const sound = packOf(bytes, contentId(bytes));
  new Oracle().created(nameOf(sound), sound);
  const wrong = packOf(bytes, contentId(bytes.subarray(1)));
  throws(() => new Oracle().created(nameOf(wrong), wrong), /not what its id/);
});

/** The files of a store with one snapshot, the record last. */
async function filesOf(): Promise<[string, Uint8Array][]> {
  const test = new TestSnapshots();
  await test.save({
    large: { chunks: [new Uint8Array(900).fill(3), 5000] },
    below: { directory: { small: { file: "small" } } },
  });
  const files: [string, Uint8Array][] = [];
  for await (const batch of test.store.list("")) {
    for (const { name } of batch) {
      files.push([name, await test.store.read(name)]);
    }
  }
  return files;
}

Deno.test("the oracle notices a record before what it names", async () => {
  const files = await filesOf();
  strictEqual(files.filter(([name]) => name.startsWith("packs/")).length, 2);
  oracleOf(files);
  for (const [pack] of files.filter(([name]) => name.startsWith("packs/"))) {
    const rest = files.filter(([name]) => name !== pack);
    throws(() => oracleOf(rest), /not in the/);
  }
});

Deno.test("the oracle notices a record that is another, and one that goes", async () => {
  const files = await filesOf();
  const oracle = oracleOf(files);
  const [name, bytes] = files.at(-1)!;
  throws(() => oracle.removed(name), /neither void nor forgotten/);
  const changed = bytes.slice();
  changed[30] ^= 1;
  throws(() => oracle.created(name, changed), /another id/);
  const [, , record] = name.split(/[/-]/);
  oracle.created(`forgotten/${record}`, new Uint8Array(1));
  oracle.removed(name);
});

function oracleOf(files: readonly [string, Uint8Array][]): Oracle {
  const oracle = new Oracle();
  for (const [name, bytes] of files) oracle.created(name, bytes);
  return oracle;
}

/** The step of a round that decides what goes. */
function finalStep(packs: readonly string[]): Uint8Array {
  const body = { time: "2026-11-20T05:00:00.000000000Z", step: "final", packs };
  const saveId = new Uint8Array(16);
  return encodeDocument({
    ...{ kind: "GCLG", saveId },
    body: { ...body, void: [], ended: [] },
  });
}

Deno.test("the oracle notices a pack that goes and is needed, or that no round has named", async () => {
  const files = await filesOf();
  for (const [pack] of files.filter(([name]) => name.startsWith("packs/"))) {
    const oracle = oracleOf(files);
    throws(() => oracle.removed(pack), /no round has decided so/);
    oracle.created("gc/1", finalStep([pack.slice(-64)]));
    throws(() => oracle.removed(pack), /not in the store/);
  }
});

Deno.test("the oracle notices a pack that is left", async () => {
  const files = await filesOf();
  const [record] = files.at(-1)!;
  const oracle = oracleOf(files);
  oracle.checkClean();
  oracle.created(`forgotten/${record.split(/[/-]/)[2]}`, new Uint8Array(1));
  oracle.removed(record);
  throws(() => oracle.checkClean(), /No record needs packs/);
});

Deno.test("the oracle notices an acknowledged record that counts no more", async () => {
  const files = await filesOf();
  const [record] = files.at(-1)!;
  const voided = `gc/void/${record.split("-")[2]}`;
  const oracle = oracleOf(files);
  oracle.acknowledged(record);
  throws(() => oracle.created(voided, new Uint8Array(1)), /counts no more/);
  const early = oracleOf(files);
  early.created(voided, new Uint8Array(1));
  throws(() => early.acknowledged(record), /does not count/);
  early.removed(record);
});

Deno.test("a process that sleeps has its turn when it wakes", async () => {
  const scheduler = new Scheduler(new Prng(1));
  const [sleeper, other] = [new Process("sleeper"), new Process("other")];
  const order: string[] = [];
  sleeper.sleepsUntil = 500;
  const run = async (process: Process): Promise<void> => {
    await scheduler.turn(process, "goes on", 1);
    order.push(`${process.name} at ${scheduler.now}`);
  };
  const both = Promise.all([run(sleeper), run(other)]);
  await scheduler.run(both.then(() => {}), 10);
  deepStrictEqual(order, ["other at 1", "sleeper at 500"]);
});
