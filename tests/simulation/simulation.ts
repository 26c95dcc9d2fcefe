// One run: two stores and all who use them, as a function of a seed.
import { IdMismatchError } from "@snap/hash";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { BrokenSnapshotError } from "@snap/maintenance/prune";
import { DamageError, ObjectNotFoundError, OvertakenError } from "@snap/pack";
import { StoreError } from "@snap/store";
import { formatSettings, initStore } from "@snap/store/format";
import { storePeer, SyncError, type SyncReport } from "@snap/sync";
import { SMALL_SETTINGS } from "../_snapshots.ts";
import type { TestDirectory } from "../_test_snapshots.ts";
import {
  type Actor,
  copyOnce,
  forgetOnce,
  pruneOnce,
  readOnce,
  saveOnce,
} from "./actors.ts";
import { lookAtAll, makeEqual, removeRest } from "./calm.ts";
import type { Site } from "./faults.ts";
import { AHEAD_MS, Scene, type Side, type SimulationOptions } from "./scene.ts";
import { KilledError, Process } from "./scheduler.ts";
import { SimServer } from "./sim_server.ts";
import { changed, makeDirectory } from "./trees.ts";
import { inItsOwnWorld } from "./world.ts";

/** Steps of a run at most. */
const STEPS_MAX = 60_000;
/** How often something is tried before it is left. */
const TRIES_MAX = 12;
/** How long a process sleeps at most, in milliseconds. */
const SLEEP_MS = 30_000;

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
  /** Packs that were removed. */
  readonly removedPackCount: number;
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

class Run {
  readonly #scene: Scene;
  readonly #processes = new Set<Process>();
  #copyCount = 0;

  constructor(options: SimulationOptions) {
    this.#scene = new Scene(options);
    this.#scene.scheduler.onStep = () => this.#endSomething();
  }

  outcome(): Outcome {
    return {
      stepCount: this.#scene.scheduler.stepCount,
      faultCount: this.#scene.faults.count,
      faults: this.#scene.faults.counts,
      traceHash: this.#scene.scheduler.traceHash,
      lastNotes: this.#scene.scheduler.lastNotes,
      copyCount: this.#copyCount,
      saveCount: this.#scene.saved.size,
      removedPackCount: this.#scene.sides.reduce(
        (sum, { disk }) => sum + disk.removedPackCount,
        0,
      ),
    };
  }

  async go(): Promise<void> {
    const { scheduler, random, sides, faults } = this.#scene;
    await inItsOwnWorld(scheduler, random, async () => {
      for (const side of sides) {
        const settings = formatSettings(SMALL_SETTINGS);
        const { storeId } = await initStore(side.disk.files, settings);
        this.#scene.storeIds.set(side, storeId);
      }
      await scheduler.run(this.#turmoil(), STEPS_MAX);
      faults.end();
      if (!this.#scene.isHostile) await scheduler.run(this.#calm(), STEPS_MAX);
      await scheduler.run(lookAtAll(this.#scene), STEPS_MAX);
    });
  }

  /** Nothing goes wrong any more, and nobody is left of those who were at work. */
  async #calm(): Promise<void> {
    const { scheduler, sides, world, hasPruners } = this.#scene;
    for (const process of [...this.#processes]) scheduler.kill(process);
    this.#processes.clear();
    for (const { server } of sides) server.kill();
    await scheduler.turn(world, "rests", 100_000);
    this.#copyCount += await makeEqual(this.#scene);
    if (!hasPruners) return;
    await removeRest(this.#scene);
    for (const { disk } of sides) disk.checkClean();
  }

  /** All who use the stores, at once, until each has done what it wants. */
  async #turmoil(): Promise<void> {
    const [a, b] = this.#scene.sides;
    const base = makeDirectory(this.#scene.prng);
    const all: Promise<void>[] = [];
    for (const side of [a, b]) {
      let directory: TestDirectory = base;
      const { name } = side.disk;
      const actor = this.#scene.actor(this.#scene.world, side);
      // There is something from the beginning.
      await saveOnce({ ...actor, store: this.#scene.calmStore(side) }, base);
      const saves = 1 + this.#scene.prng.below(this.#scene.hasPruners ? 7 : 2);
      all.push(this.#live(`saver ${name}`, side, saves, (actor) => {
        if (this.#scene.prng.below(3) > 0) {
          directory = changed(directory, this.#scene.prng);
        }
        return saveOnce(actor, directory);
      }));
      if (this.#scene.isHostile && side === a) continue;
      all.push(this.#live(`reader ${name}`, side, 1, readOnce));
    }
    for (let i = 0; i < 1 + this.#scene.prng.below(3); i++) {
      const [near, far] = this.#scene.prng.below(2) === 0 ? [a, b] : [b, a];
      const copies = 1 + this.#scene.prng.below(2);
      all.push(this.#live(`copier ${i}`, near, copies, async (actor) => {
        const { process } = actor;
        const sides = this.#scene.peers(process, near, far);
        const env = this.#scene.env(process, near.skewMs);
        this.#count(await copyOnce(actor, sides, { env }));
      }));
    }
    if (this.#scene.hasPruners) all.push(...this.#removers());
    else if (!this.#scene.isHostile && this.#scene.prng.below(3) === 0) {
      const side = this.#scene.prng.pick(this.#scene.sides);
      all.push(this.#live("forgetter", side, 1, async (actor) => {
        const store = this.#scene.open(actor.process, side.disk);
        // Something has been copied by then.
        await this.#scene.scheduler.turn(actor.process, "rests", 2000);
        await forgetOnce(actor, storePeer(store, { hasher }));
      }));
    }
    await Promise.all(all);
  }

  /** Those who forget, and those who remove what nothing needs, on both sides. */
  #removers(): Promise<void>[] {
    const { scheduler, prng, sides } = this.#scene;
    const rest = async ({ process }: Actor): Promise<void> => {
      // There is something to forget, and to remove, by then.
      await scheduler.turn(process, "rests", prng.below(4000));
    };
    return sides.flatMap((side) => {
      const { name } = side.disk;
      const times = 1 + prng.below(5);
      const forget = async (actor: Actor): Promise<void> => {
        await rest(actor);
        await forgetOnce(actor, storePeer(actor.store, { hasher }));
      };
      const remove = async (actor: Actor): Promise<void> => {
        await rest(actor);
        // So that those who live are thought dead.
        side.aheadMs += prng.pick([0, AHEAD_MS, AHEAD_MS]);
        await pruneOnce(actor, side.aheadMs);
      };
      const pruners = Array.from(
        { length: 1 + prng.below(2) },
        (_, number) =>
          this.#live(`pruner ${name}${number}`, side, times, remove),
      );
      return [this.#live(`forgetter ${name}`, side, times, forget), ...pruners];
    });
  }

  /** Does something several times, each time as another process, whatever goes wrong. */
  async #live(
    name: string,
    side: Side,
    times: number,
    work: (actor: Actor) => Promise<void>,
  ): Promise<void> {
    for (let done = 0, tries = 0; done < times && tries < TRIES_MAX; tries++) {
      const pause = this.#scene.prng.below(200);
      await this.#scene.scheduler.turn(
        this.#scene.world,
        `lets ${name} wait`,
        pause,
      );
      const process = new Process(name);
      this.#processes.add(process);
      try {
        await work(this.#scene.actor(process, side));
        for (const { disk, name } of process.records) disk.acknowledged(name);
        done++;
      } catch (error) {
        this.#scene.scheduler.note(`${name} fails: ${error}`);
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
      error instanceof DamageError || error instanceof DOMException ||
      error instanceof BrokenSnapshotError;
    if (isNamed && this.#scene.faults.count > 0) return;
    // By the clock of those who remove it was dead.
    if (this.#scene.hasPruners && isOvertaken(error)) return;
    const reason = error instanceof Error ? error.message : String(error);
    this.#scene.scheduler.violate(
      `Nobody expects that ${name} fails: ${reason}`,
      error,
    );
  }

  /** Ends a process now and then, at any step. */
  #endSomething(): void {
    const rare = 0.02;
    const isSleep = this.#scene.hasPruners &&
      this.#scene.faults.strikes("process.sleep", 10 * rare);
    const isInterrupt = this.#scene.faults.strikes("process.interrupt", rare);
    if (
      !isSleep && !isInterrupt &&
      !this.#scene.faults.strikes("process.kill", rare)
    ) return;
    const servers = this.#scene.sides.map(({ server }) => server);
    const all = [...this.#processes, ...servers];
    const chosen = all[this.#scene.faults.below(all.length)];
    if (isSleep) {
      const process = chosen instanceof SimServer ? chosen.process : chosen;
      if (process === undefined) return;
      const ms = this.#scene.faults.below(SLEEP_MS);
      process.sleepsUntil = this.#scene.scheduler.now + ms;
      return this.#scene.scheduler.note(`${process.name} sleeps for ${ms}`);
    }
    if (chosen instanceof SimServer) return chosen.kill();
    if (isInterrupt) chosen.interrupt.abort();
    else this.#scene.scheduler.kill(chosen);
  }

  #count(report: SyncReport | undefined): void {
    if (report?.dryRun === false) this.#copyCount += report.recordsCopied;
  }
}

function isOvertaken(error: unknown): boolean {
  return error instanceof OvertakenError ||
    (error instanceof SyncError && error.code === "VOID");
}
