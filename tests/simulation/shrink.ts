// Of a run that fails, the shortest beginning that does.
import type { SimulationOptions } from "./scene.ts";
import { type Outcome, simulate } from "./simulation.ts";

/** The shortest run that fails. */
export interface Shrunk {
  readonly options: Required<SimulationOptions>;
  readonly outcome: Outcome;
}

/**
 * Looks for the smallest number of faults with which a run fails, then for the
 * smallest number of steps after which nothing more has to go wrong.
 *
 * @param options A run that fails.
 * @param outcome What became of it.
 * @param run Runs it. Default: {@linkcode simulate}.
 */
export async function shrink(
  options: SimulationOptions,
  outcome: Outcome,
  run: typeof simulate = simulate,
): Promise<Shrunk> {
  let best: Shrunk = {
    options: {
      ...options,
      faults: outcome.faultCount,
      steps: outcome.stepCount,
    },
    outcome,
  };
  for (const limit of ["faults", "steps"] as const) {
    // What fails with many may pass with few and fail with fewer: good enough.
    for (let low = 0; low < best.options[limit];) {
      const middle = Math.floor((low + best.options[limit]) / 2);
      const tried = { ...best.options, [limit]: middle };
      const found = await run(tried);
      if (found.failure === undefined) low = middle + 1;
      else best = { options: tried, outcome: found };
    }
  }
  return best;
}
