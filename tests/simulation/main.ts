// `deno task simulate`: runs of seeds that are asked for, as many as are asked for.
import { parseArgs } from "node:util";
import { type Level, LEVELS } from "./faults.ts";
import { describe, simulateMany, type Summary } from "./many.ts";

const USAGE = `deno task simulate [--seed N] [--seeds M] [--level ${
  LEVELS.join("|")
}] [--faults N] [--steps N]`;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    level: { type: "string", default: "normal" },
    faults: { type: "string" },
    steps: { type: "string" },
  },
});

function numberOf(name: "seed" | "seeds" | "faults" | "steps"): number {
  const value = Number(values[name]);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(
    `Cannot use --${name} ${values[name]}: it is a whole number\n${USAGE}`,
  );
}

function levelOf(text: string): Level {
  const level = LEVELS.find((one) => one === text);
  if (level !== undefined) return level;
  throw new RangeError(`Cannot use --level ${text}\n${USAGE}`);
}

function print(summary: Summary): void {
  const { runCount, stepCount, saveCount, copyCount, faults } = summary;
  const { removedPackCount } = summary;
  console.log(
    `${runCount} runs, ${stepCount} steps, ${saveCount} saves, ${copyCount} copies, ${removedPackCount} packs removed`,
  );
  const sites = Array.from(faults, ([site, count]) => `${count} ${site}`);
  console.log(`Faults: ${sites.sort().join(", ") || "none"}`);
}

const isOne = numberOf("seeds") === 1;
const summary = await simulateMany({
  level: levelOf(values.level),
  seed: numberOf("seed"),
  count: numberOf("seeds"),
  ...(values.faults === undefined ? {} : { faults: numberOf("faults") }),
  ...(values.steps === undefined ? {} : { steps: numberOf("steps") }),
  onOutcome: (seed, { traceHash }) => {
    if (isOne) console.log(`Seed ${seed} gives trace ${traceHash}`);
  },
});
print(summary);
if (summary.failed !== undefined) {
  console.error(describe(summary.failed));
  Deno.exitCode = 1;
}
