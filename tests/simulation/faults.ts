// What can go wrong, by name, and how likely it is in a run.
import { Prng } from "../_prng.ts";
import type { Scheduler } from "./scheduler.ts";

/**
 * How bad a run is. `normal`: what any network does, and processes that end.
 * `adversarial`: besides what no network should do. `hostile`: besides a side that
 * lies.
 */
export type Level = "normal" | "adversarial" | "hostile";

/** All levels. */
export const LEVELS: readonly Level[] = ["normal", "adversarial", "hostile"];

const NORMAL_SITES = [
  "process.kill",
  "process.interrupt",
  "process.sleep",
  "link.drop",
  "link.lose",
  "link.twice",
  "link.delay",
  "store.read.fail",
  "store.list.fail",
  "store.create.fail",
  "store.create.lost",
  "store.sync.fail",
  "store.remove.fail",
  "store.remove.lost",
] as const;

const ADVERSARIAL_SITES = [
  "link.late",
  "link.cut",
  "link.flip",
  "server.late",
  "server.forgetful",
  "store.read.flip",
  "store.read.cut",
  "store.list.stale",
  "store.create.twice",
  "store.create.full",
] as const;

const HOSTILE_SITES = [
  "liar.fields",
  "liar.ids",
  "liar.bytes",
  "liar.replay",
  "liar.section",
  "liar.pack",
  "liar.withhold",
  "liar.error",
  "liar.store",
] as const;

/** A place where something can go wrong. */
export type Site =
  | typeof NORMAL_SITES[number]
  | typeof ADVERSARIAL_SITES[number]
  | typeof HOSTILE_SITES[number];

/** All that can go wrong, by level. */
export const SITES: Readonly<Record<Level, readonly Site[]>> = {
  normal: NORMAL_SITES,
  adversarial: [...NORMAL_SITES, ...ADVERSARIAL_SITES],
  hostile: [...NORMAL_SITES, ...ADVERSARIAL_SITES, ...HOSTILE_SITES],
};

/** Faults of a run at most, so that it comes to an end. */
const FAULTS_MAX = 60;

/** How much goes wrong before nothing does any more. */
export interface FaultLimits {
  /** Faults. */
  readonly faults?: number;
  /** Steps of the schedule. */
  readonly steps?: number;
}

/** What goes wrong in a run. */
export interface FaultOptions extends FaultLimits {
  readonly seed: number;
  readonly level: Level;
  /** Whether somebody prunes. */
  readonly hasPruners: boolean;
}

/** Draws faults. */
export class Faults {
  /** How many there were, by site. */
  readonly counts: Map<Site, number> = new Map();
  /** How many there were. */
  count = 0;
  readonly #prng: Prng;
  readonly #chances = new Map<Site, number>();
  readonly #scheduler: Scheduler;
  readonly #faultsMax: number;
  readonly #stepsMax: number;
  #isOver = false;

  constructor(scheduler: Scheduler, options: FaultOptions) {
    const { seed, level, hasPruners, faults, steps } = options;
    this.#prng = new Prng(seed);
    this.#scheduler = scheduler;
    this.#faultsMax = faults ?? FAULTS_MAX;
    this.#stepsMax = steps ?? Infinity;
    for (const site of SITES[level]) {
      // Each run has its own chances: what is frequent everywhere hides what is rare.
      const chance = this.#prng.pick([0, 0.003, 0.01, 0.05]);
      // Whoever prunes relies on lists that are true.
      if (hasPruners && site === "store.list.stale") continue;
      const isRare = hasPruners && site.startsWith("store.");
      // There are few messages, and many calls of a store, most of all by prune.
      const factor = site.startsWith("liar.") ? 6 : isRare ? 0.1 : 1;
      this.#chances.set(site, factor * chance);
    }
  }

  /** Whether something goes wrong here and now. */
  strikes(site: Site, factor = 1): boolean {
    const chance = this.#chances.get(site) ?? 0;
    if (chance === 0 || this.isOver) return false;
    if (this.#prng.unit() >= chance * factor) return false;
    this.count++;
    this.counts.set(site, (this.counts.get(site) ?? 0) + 1);
    this.#scheduler.note(`fault ${site}`);
    return true;
  }

  /** A number below a limit, for what a fault does. */
  below(limit: number): number {
    return this.#prng.below(limit);
  }

  /** Whether nothing goes wrong any more. */
  get isOver(): boolean {
    return this.#isOver || this.count >= this.#faultsMax ||
      this.#scheduler.stepCount >= this.#stepsMax;
  }

  /** Ends them. */
  end(): void {
    this.#isOver = true;
  }
}
