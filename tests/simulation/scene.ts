// Two stores and what a process needs to use them: the places of a run.
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { type Env, type Peer, remotePeer, storePeer } from "@snap/sync";
import { Prng } from "../_prng.ts";
import type { Actor } from "./actors.ts";
import { type FaultLimits, Faults, type Level } from "./faults.ts";
import { makeLiar } from "./liar.ts";
import { Oracle } from "./oracle.ts";
import { Process, Scheduler } from "./scheduler.ts";
import { SimLink } from "./sim_link.ts";
import { SimServer } from "./sim_server.ts";
import { Disk, SimStore } from "./sim_store.ts";
import { FIRST_MS } from "./world.ts";

/** How far the clock of a machine is off at most, in milliseconds. */
const SKEW_MS = 100_000;
/** A clock that is so far ahead takes whoever lives for dead. */
export const AHEAD_MS: number = 31 * 60_000;

/** Which run. */
export interface SimulationOptions extends FaultLimits {
  readonly seed: number;
  readonly level: Level;
  /** A folder for files on their way into stores. */
  readonly folder: string;
}

/** A store, those who judge it, and what serves it. */
export interface Side {
  readonly disk: Disk;
  readonly server: SimServer;
  /** Milliseconds by which the clock there is ahead. */
  readonly skewMs: number;
  /** Milliseconds by which the clock of the next who removes is ahead of that. */
  aheadMs: number;
}

/** The places of a run, as a function of its seed. */
export class Scene {
  readonly prng: Prng;
  /** What the system would have drawn. */
  readonly random: Prng;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly saved: Actor["saved"] = new Map();
  readonly world: Process = new Process("the world");
  readonly sides: readonly [Side, Side];
  readonly storeIds: Map<Side, string> = new Map();
  readonly #options: SimulationOptions;

  constructor(options: SimulationOptions) {
    const { seed, level } = options;
    this.#options = options;
    this.prng = new Prng(seed);
    this.random = new Prng(seed + 2 ** 40);
    this.scheduler = new Scheduler(new Prng(seed + 2 ** 41));
    this.faults = new Faults(this.scheduler, {
      ...{ ...options, seed: seed + 2 ** 42, level },
      hasPruners: this.hasPruners,
    });
    this.sides = [this.#makeSide("A"), this.#makeSide("B")];
  }

  /** Whether packs are removed meanwhile: in one of four runs. */
  get hasPruners(): boolean {
    return this.#options.seed % 4 === 0 && !this.isHostile;
  }

  get isHostile(): boolean {
    return this.#options.level === "hostile";
  }

  /** The two sides, as a process beside the first one has them. */
  peers(process: Process, near: Side, far: Side): [Peer, Peer] {
    const local = (side: Side): Peer =>
      storePeer(this.open(process, side.disk), {
        hasher,
        location: `store ${side.disk.name}`,
      });
    const remote = (side: Side): Peer =>
      remotePeer(this.#link(process, near, side), { hasher });
    // A liar's store is not open to anybody else.
    const choice = this.isHostile ? 0 : this.prng.below(4);
    if (choice === 1) return [local(near), local(far)];
    if (choice === 2) return [remote(near), remote(far)];
    return [local(near), remote(far)];
  }

  #link(process: Process, near: Side, far: Side): SimLink {
    const { server } = far;
    const parts = { process, server, ...this.#shared };
    if (!this.isHostile) return new SimLink(parts);
    const side = near.disk.name === "A" ? "client" : "server";
    const honest = side === "client" ? far : near;
    const otherStore = this.storeIds.get(honest)!;
    const { faults } = this.#shared;
    return new SimLink({
      ...parts,
      liar: makeLiar({ faults, side, otherStore }),
    });
  }

  get #shared(): { scheduler: Scheduler; faults: Faults } {
    return { scheduler: this.scheduler, faults: this.faults };
  }

  open(process: Process, disk: Disk): SimStore {
    const { folder } = this.#options;
    return new SimStore({ disk, process, folder, ...this.#shared });
  }

  /** A store with which nothing goes wrong. */
  calmStore({ disk }: Side): SimStore {
    const { folder } = this.#options;
    const scheduler = this.scheduler;
    return new SimStore({ disk, process: this.world, folder, scheduler });
  }

  actor(process: Process, { disk, skewMs }: Side): Actor {
    const { now, random } = this.env(process, skewMs);
    return {
      ...{ process, now, random },
      store: this.open(process, disk),
      scheduler: this.scheduler,
      prng: this.prng,
      saved: this.saved,
    };
  }

  env(process: Process, skewMs: number): Env {
    const scheduler = this.scheduler;
    return {
      now: () => FIRST_MS + Math.floor(scheduler.now) + skewMs,
      random: (size) => this.random.bytes(size),
      sleep: (ms) => scheduler.turn(process, "sleeps", ms),
    };
  }

  #makeSide(name: string): Side {
    // What a liar has, nobody has to vouch for.
    const isJudged = !this.isHostile || name === "B";
    const oracle = isJudged ? new Oracle() : undefined;
    const disk = new Disk(name, this.scheduler, oracle);
    const skewMs = this.prng.below(SKEW_MS);
    const server = new SimServer({
      name,
      right: this.isHostile ? "append" : "prune",
      scheduler: this.scheduler,
      faults: this.faults,
      open: (process) => this.open(process, disk),
      env: (process) => this.env(process, skewMs),
    });
    return { disk, server, skewMs, aheadMs: 0 };
  }
}
