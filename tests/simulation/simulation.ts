// One run: two stores and all who use them, as a function of a seed.
import { deepStrictEqual } from "node:assert/strict";
import { IdMismatchError } from "@snap/hash";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { DamageError, ObjectNotFoundError } from "@snap/pack";
import { listRecordNames } from "@snap/snapshot/records";
import { StoreError } from "@snap/store";
import { formatSettings, initStore, NO_RECORD } from "@snap/store/format";
import {
  type Env,
  type Peer,
  remotePeer,
  storePeer,
  sync,
  SyncError,
  type SyncReport,
} from "@snap/sync";
import { Prng } from "../_prng.ts";
import { SMALL_SETTINGS } from "../_snapshots.ts";
import type { TestDirectory } from "../_test_snapshots.ts";
import {
  type Actor,
  copyOnce,
  forgetOnce,
  readAll,
  readForgotten,
  readOnce,
  readTags,
  saveOnce,
} from "./actors.ts";
import { type FaultLimits, Faults, type Level, type Site } from "./faults.ts";
import { makeLiar } from "./liar.ts";
import { Oracle } from "./oracle.ts";
import { KilledError, Process, Scheduler } from "./scheduler.ts";
import { SimLink } from "./sim_link.ts";
import { SimServer } from "./sim_server.ts";
import { Disk, SimStore } from "./sim_store.ts";
import { changed, makeDirectory } from "./trees.ts";
import { FIRST_MS, inItsOwnWorld } from "./world.ts";

/** Steps of a run at most. */
const STEPS_MAX = 60_000;
/** How often something is tried before it is left. */
const TRIES_MAX = 12;
/** How often two sides are synced until they must be equal. */
const ROUNDS_MAX = 4;
/** How far the clock of a machine is off at most, in milliseconds. */
const SKEW_MS = 100_000;

/** Which run. */
export interface SimulationOptions extends FaultLimits {
  readonly seed: number;
  readonly level: Level;
  /** A folder for files on their way into stores. */
  readonly folder: string;
}

/** What became of a run. */
export interface Outcome {
  /** The rule that was broken, if one was. */
  readonly failure?: Error;
  readonly stepCount: number;
  readonly faultCount: number;
  readonly faults: ReadonlyMap<Site, number>;
  /** The hash of all that has happened. */
  readonly traceHash: string;
  /** The last of what has happened. */
  readonly lastNotes: readonly string[];
  /** Records that were copied. */
  readonly copyCount: number;
  /** Records that were saved. */
  readonly saveCount: number;
}

/**
 * Runs a simulation.
 *
 * @param options The seed, and how bad it gets.
 * @returns What became of it.
 */
export async function simulate(options: SimulationOptions): Promise<Outcome> {
  const run = new Run(options);
  let failure: Error | undefined;
  try {
    await run.go();
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  }
  return { ...run.outcome(), ...(failure === undefined ? {} : { failure }) };
}

/** A store, those who judge it, and what serves it. */
interface Side {
  readonly disk: Disk;
  readonly server: SimServer;
  /** Milliseconds by which the clock there is ahead. */
  readonly skewMs: number;
}

class Run {
  readonly #options: SimulationOptions;
  readonly #prng: Prng;
  /** What the system would have drawn. */
  readonly #random: Prng;
  readonly #scheduler: Scheduler;
  readonly #faults: Faults;
  readonly #saved: Actor["saved"] = new Map();
  readonly #processes = new Set<Process>();
  readonly #world = new Process("the world");
  readonly #sides: readonly [Side, Side];
  readonly #storeIds = new Map<Side, string>();
  #copyCount = 0;

  constructor(options: SimulationOptions) {
    const { seed, level } = options;
    this.#options = options;
    this.#prng = new Prng(seed);
    this.#random = new Prng(seed + 2 ** 40);
    this.#scheduler = new Scheduler(new Prng(seed + 2 ** 41));
    const scheduler = this.#scheduler;
    this.#faults = new Faults(seed + 2 ** 42, level, scheduler, options);
    this.#sides = [this.#makeSide("A"), this.#makeSide("B")];
    scheduler.onStep = () => this.#endSomething();
  }

  get #isHostile(): boolean {
    return this.#options.level === "hostile";
  }

  outcome(): Outcome {
    return {
      stepCount: this.#scheduler.stepCount,
      faultCount: this.#faults.count,
      faults: this.#faults.counts,
      traceHash: this.#scheduler.traceHash,
      lastNotes: this.#scheduler.lastNotes,
      copyCount: this.#copyCount,
      saveCount: this.#saved.size,
    };
  }

  async go(): Promise<void> {
    const scheduler = this.#scheduler;
    await inItsOwnWorld(scheduler, this.#random, async () => {
      for (const side of this.#sides) {
        const settings = formatSettings(SMALL_SETTINGS);
        const { storeId } = await initStore(side.disk.files, settings);
        this.#storeIds.set(side, storeId);
      }
      await scheduler.run(this.#turmoil(), STEPS_MAX);
      this.#faults.end();
      if (!this.#isHostile) await scheduler.run(this.#calm(), STEPS_MAX);
      await scheduler.run(this.#lookAtAll(), STEPS_MAX);
    });
  }

  #makeSide(name: string): Side {
    // What a liar has, nobody has to vouch for.
    const isJudged = !this.#isHostile || name === "B";
    const oracle = isJudged ? new Oracle() : undefined;
    const disk = new Disk(name, this.#scheduler, oracle);
    const skewMs = this.#prng.below(SKEW_MS);
    const server = new SimServer({
      name,
      right: this.#isHostile ? "append" : "prune",
      scheduler: this.#scheduler,
      faults: this.#faults,
      open: (process) => this.#open(process, disk),
      env: (process) => this.#env(process, skewMs),
    });
    return { disk, server, skewMs };
  }

  /** All who use the stores, at once, until each has done what it wants. */
  async #turmoil(): Promise<void> {
    const [a, b] = this.#sides;
    const base = makeDirectory(this.#prng);
    const all: Promise<void>[] = [];
    for (const side of [a, b]) {
      let directory: TestDirectory = base;
      const { name } = side.disk;
      const actor = this.#actor(this.#world, side);
      // There is something from the beginning.
      await saveOnce({ ...actor, store: this.#calmStore(side) }, base);
      const saves = 1 + this.#prng.below(2);
      all.push(this.#live(`saver ${name}`, side, saves, (actor) => {
        directory = changed(directory, this.#prng);
        return saveOnce(actor, directory);
      }));
      if (this.#isHostile && side === a) continue;
      all.push(this.#live(`reader ${name}`, side, 1, readOnce));
    }
    for (let i = 0; i < 1 + this.#prng.below(3); i++) {
      const [near, far] = this.#prng.below(2) === 0 ? [a, b] : [b, a];
      const copies = 1 + this.#prng.below(2);
      all.push(this.#live(`copier ${i}`, near, copies, async (actor) => {
        const { process } = actor;
        const sides = this.#peers(process, near, far);
        const env = this.#env(process, near.skewMs);
        this.#count(await copyOnce(actor, sides, { env }));
      }));
    }
    if (!this.#isHostile && this.#prng.below(3) === 0) {
      const side = this.#prng.pick(this.#sides);
      all.push(this.#live("forgetter", side, 1, async (actor) => {
        const store = this.#open(actor.process, side.disk);
        // Something has been copied by then.
        await this.#scheduler.turn(actor.process, "rests", 2000);
        await forgetOnce(actor, storePeer(store, { hasher }));
      }));
    }
    await Promise.all(all);
  }

  /** Nothing goes wrong any more: both sides become equal. */
  async #calm(): Promise<void> {
    for (const process of [...this.#processes]) this.#scheduler.kill(process);
    this.#processes.clear();
    for (const { server } of this.#sides) server.kill();
    await this.#scheduler.turn(this.#world, "rests", 100_000);
    const [a, b] = this.#sides;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const process = new Process(`healer ${round}`);
      const sides = this.#peers(process, a, b);
      const env = this.#env(process, a.skewMs);
      const gone = await this.#forgottenRecords("gone");
      // What is forgotten stays away by itself; it goes elsewhere only if that is wanted.
      const report = await sync(...sides, {
        env,
        ...(round === 0 ? {} : { mirror: "forgets" }),
      });
      const back = (await this.#forgottenRecords("live"))
        .find((one) => gone.includes(one));
      if (back !== undefined) {
        this.#scheduler.violate(`What was forgotten came back: ${back}`);
      }
      this.#count(report);
      const { recordsCopied, recordsRemoved, tagEntries, errors } = report;
      if (errors.length > 0) {
        this.#scheduler.violate(
          `Nothing goes wrong, and a copy fails: ${errors[0].message}`,
          errors[0],
        );
      }
      const isNothing = recordsCopied + recordsRemoved + tagEntries === 0;
      if (isNothing && round > 0) return;
    }
    this.#scheduler.violate(`Not equal after ${ROUNDS_MAX} rounds`);
  }

  /** Sides and the records that they have forgotten: those that are gone, or there all the same. */
  async #forgottenRecords(which: "gone" | "live"): Promise<string[]> {
    const found: string[] = [];
    for (const { disk: { name, files } } of this.#sides) {
      const names = await listRecordNames(files);
      for (const id of await readForgotten(files)) {
        const isLive = names.some(({ record }) => record === id);
        if (isLive === (which === "live")) found.push(`${name} ${id}`);
      }
    }
    return found;
  }

  /** Reads all that there is, and compares the stores. */
  async #lookAtAll(): Promise<void> {
    const process = new Process("inspector");
    const found: unknown[] = [];
    const forgotten = new Set<string>();
    for (const { disk } of this.#sides) {
      for (const id of await readForgotten(disk.files)) forgotten.add(id);
    }
    for (const side of this.#sides) {
      if (this.#isHostile && side.disk.name === "A") continue;
      const { files, name } = side.disk;
      const actor = { ...this.#actor(process, side), store: files };
      const records = await readAll(actor);
      const tags = await readTags(files);
      found.push({ records, tags });
      if (this.#isHostile) return;
      // A tag that is deleted names nothing.
      const lost = tags.find(({ record }) =>
        record !== NO_RECORD && !records.includes(record) &&
        !forgotten.has(record)
      );
      if (lost !== undefined) {
        this.#scheduler.violate(
          `Tag ${lost.name} of ${name} names ${lost.record}, which is not there`,
        );
      }
    }
    try {
      deepStrictEqual(found[0], found[1]);
    } catch (cause) {
      this.#scheduler.violate("The stores are not equal in the end", cause);
    }
  }

  /** Does something several times, each time as another process, whatever goes wrong. */
  async #live(
    name: string,
    side: Side,
    times: number,
    work: (actor: Actor) => Promise<void>,
  ): Promise<void> {
    for (let done = 0, tries = 0; done < times && tries < TRIES_MAX; tries++) {
      const pause = this.#prng.below(200);
      await this.#scheduler.turn(this.#world, `lets ${name} wait`, pause);
      const process = new Process(name);
      this.#processes.add(process);
      try {
        await work(this.#actor(process, side));
        done++;
      } catch (error) {
        this.#scheduler.note(`${name} fails: ${error}`);
        this.#excuse(name, error);
      } finally {
        this.#processes.delete(process);
      }
    }
  }

  /** Ends the run where an error is none that may come of what went wrong. */
  #excuse(name: string, error: unknown): void {
    if (error instanceof SuppressedError) {
      // What is closed after a failure may fail, too.
      this.#excuse(name, error.suppressed);
      return this.#excuse(name, error.error);
    }
    const isNamed = error instanceof KilledError ||
      error instanceof SyncError || error instanceof StoreError ||
      error instanceof SyntaxError || error instanceof IdMismatchError ||
      error instanceof ObjectNotFoundError ||
      error instanceof DamageError || error instanceof DOMException;
    if (isNamed && this.#faults.count > 0) return;
    const reason = error instanceof Error ? error.message : String(error);
    this.#scheduler.violate(
      `Nobody expects that ${name} fails: ${reason}`,
      error,
    );
  }

  /** Ends a process now and then, at any step. */
  #endSomething(): void {
    const rare = 0.02;
    const isInterrupt = this.#faults.strikes("process.interrupt", rare);
    if (!isInterrupt && !this.#faults.strikes("process.kill", rare)) return;
    const servers = this.#sides.map(({ server }) => server);
    const all = [...this.#processes, ...servers];
    const chosen = all[this.#faults.below(all.length)];
    if (chosen instanceof SimServer) return chosen.kill();
    if (isInterrupt) chosen.interrupt.abort();
    else this.#scheduler.kill(chosen);
  }

  /** The two sides, as a process beside the first one has them. */
  #peers(process: Process, near: Side, far: Side): [Peer, Peer] {
    const local = (side: Side): Peer =>
      storePeer(this.#open(process, side.disk), {
        hasher,
        location: `store ${side.disk.name}`,
      });
    const remote = (side: Side): Peer =>
      remotePeer(this.#link(process, near, side), { hasher });
    // A liar's store is not open to anybody else.
    const choice = this.#isHostile ? 0 : this.#prng.below(4);
    if (choice === 1) return [local(near), local(far)];
    if (choice === 2) return [remote(near), remote(far)];
    return [local(near), remote(far)];
  }

  #link(process: Process, near: Side, far: Side): SimLink {
    const { server } = far;
    const parts = { process, server, ...this.#shared };
    if (!this.#isHostile) return new SimLink(parts);
    const side = near.disk.name === "A" ? "client" : "server";
    const honest = side === "client" ? far : near;
    const otherStore = this.#storeIds.get(honest)!;
    const { faults } = this.#shared;
    return new SimLink({
      ...parts,
      liar: makeLiar({ faults, side, otherStore }),
    });
  }

  get #shared(): { scheduler: Scheduler; faults: Faults } {
    return { scheduler: this.#scheduler, faults: this.#faults };
  }

  #open(process: Process, disk: Disk): SimStore {
    const { folder } = this.#options;
    return new SimStore({ disk, process, folder, ...this.#shared });
  }

  /** A store with which nothing goes wrong. */
  #calmStore({ disk }: Side): SimStore {
    const { folder } = this.#options;
    const scheduler = this.#scheduler;
    return new SimStore({ disk, process: this.#world, folder, scheduler });
  }

  #actor(process: Process, { disk, skewMs }: Side): Actor {
    const { now, random } = this.#env(process, skewMs);
    return {
      ...{ process, now, random },
      store: this.#open(process, disk),
      scheduler: this.#scheduler,
      prng: this.#prng,
      saved: this.#saved,
    };
  }

  #env(process: Process, skewMs: number): Env {
    const scheduler = this.#scheduler;
    return {
      now: () => FIRST_MS + Math.floor(scheduler.now) + skewMs,
      random: (size) => this.#random.bytes(size),
      sleep: (ms) => scheduler.turn(process, "sleeps", ms),
    };
  }

  #count(report: SyncReport | undefined): void {
    if (report?.dryRun === false) this.#copyCount += report.recordsCopied;
  }
}
