// Many runs, and what is said of those that fail.
import { TemporaryFolder } from "../_snapshots.ts";
import type { FaultLimits, Level, Site } from "./faults.ts";
import { shrink, type Shrunk } from "./shrink.ts";
import { type Outcome, simulate } from "./simulation.ts";

/** Which runs. */
export interface ManyOptions extends FaultLimits {
  readonly level: Level;
  /** The seed of the first. */
  readonly seed: number;
  /** How many. */
  readonly count: number;
  /** Told of each run. */
  readonly onOutcome?: (seed: number, outcome: Outcome) => void;
}

/** What came of many runs. */
export interface Summary {
  readonly runCount: number;
  readonly stepCount: number;
  readonly saveCount: number;
  readonly copyCount: number;
  readonly removedPackCount: number;
  readonly faults: ReadonlyMap<Site, number>;
  /** The first run that failed. */
  readonly failed?: Shrunk;
}

/**
 * Runs one seed after the other, up to the first that fails, which is made shorter.
 *
 * @param options Which.
 * @returns What came of them.
 */
export async function simulateMany(options: ManyOptions): Promise<Summary> {
  const { level, seed: first, count, onOutcome, faults, steps } = options;
  using folder = new TemporaryFolder();
  const sums = {
    ...{ runCount: 0, stepCount: 0, saveCount: 0, copyCount: 0 },
    removedPackCount: 0,
  };
  const sites = new Map<Site, number>();
  for (let seed = first; seed < first + count; seed++) {
    const which = {
      ...{ seed, level, folder: folder.path },
      ...(faults === undefined ? {} : { faults }),
      ...(steps === undefined ? {} : { steps }),
    };
    const outcome = await simulate(which);
    onOutcome?.(seed, outcome);
    sums.runCount++;
    sums.stepCount += outcome.stepCount;
    sums.saveCount += outcome.saveCount;
    sums.copyCount += outcome.copyCount;
    sums.removedPackCount += outcome.removedPackCount;
    for (const [site, times] of outcome.faults) {
      sites.set(site, (sites.get(site) ?? 0) + times);
    }
    if (outcome.failure === undefined) continue;
    const failed = await shrink(which, outcome);
    return { ...sums, faults: sites, failed };
  }
  return { ...sums, faults: sites };
}

/** Says what failed, and how to see it again. */
export function describe({ options, outcome }: Shrunk): string {
  const { seed, level, faults, steps } = options;
  const { failure, lastNotes } = outcome;
  const sites = Array.from(outcome.faults, ([site, n]) => `${n} ${site}`);
  return [
    `Seed ${seed} fails at level ${level}: ${failure?.message}`,
    `It takes ${faults} faults (${
      sites.join(", ")
    }) within ${steps} steps. What came last:`,
    ...lastNotes.map((line) => `  ${line}`),
    `Run it again: deno task simulate --seed ${seed} --level ${level} --faults ${faults} --steps ${steps}`,
  ].join("\n");
}
