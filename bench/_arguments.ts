import { parseArgs } from "node:util";

/** What the command line of a bench asks for. */
export interface BenchArguments {
  /** What is measured: names of made trees, or paths. */
  readonly names: readonly string[];
  /** How often; the median counts. */
  readonly runCount: number;
  /** Peers that are measured; all that are there without it. */
  readonly peers: readonly string[] | undefined;
  /** Whether it measures, or only shows that it runs. */
  readonly size: "full" | "small";
  /** Whether the figures go into the document. */
  readonly isWritten: boolean;
}

/**
 * Reads what benches of trees have in common.
 *
 * @param args The arguments.
 * @param fallback What is measured if nothing is named.
 * @returns What they ask for.
 * @throws {RangeError} If a number of runs makes no sense.
 */
export function benchArguments(
  args: string[],
  fallback: string,
): BenchArguments {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      runs: { type: "string", default: "3" },
      peers: { type: "string" },
      small: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
    },
  });
  const runCount = values.small ? 1 : Number(values.runs);
  if (!(runCount >= 1)) throw new RangeError(`Cannot run ${values.runs} times`);
  return {
    names: positionals.length > 0 ? positionals : [fallback],
    runCount,
    peers: values.peers?.split(","),
    size: values.small ? "small" : "full",
    isWritten: values.write && !values.small,
  };
}
