import type { HasherName } from "@snap/hash";
import type { StoreSettings } from "@snap/store/format";
import type { ReadCosts } from "./_read_costs.ts";

const PROGRAM = new URL("./_case_program.ts", import.meta.url).pathname;

/** What a case can do, in any order; a restore needs a save before it. */
export type CaseStep = "save" | "again" | "changed" | "restore" | "reads";

/** What one program does in a store: the library, not the command line. */
export interface CaseOptions {
  /** The folder that is saved. */
  readonly tree: string;
  /** The store; it is made if absent. */
  readonly store: string;
  /** The folder that is restored into. */
  readonly target?: string;
  /** Threads. */
  readonly workers: number;
  /** What hashes. */
  readonly hasher: HasherName;
  /** Settings of a new store, where they are not the defaults. */
  readonly settings?: StoreSettings;
  /** What is done. */
  readonly steps: readonly CaseStep[];
  /** Reads of each kind. */
  readonly readCount?: number;
}

/** What one step took. */
export interface StepCost {
  /** Wall time in seconds. */
  readonly wallSeconds: number;
  /** User and system time of all threads in seconds. */
  readonly cpuSeconds: number;
  /** The most memory of the program during the step, in bytes. */
  readonly peakBytes: number;
}

/** What a case took. */
export interface CaseResult {
  /** What each step took. */
  readonly steps: Readonly<Partial<Record<CaseStep, StepCost>>>;
  /** The snapshot that was saved last. */
  readonly id: string;
  /** Files of the snapshot. */
  readonly fileCount: number;
  /** Their bytes. */
  readonly byteCount: number;
  /** Bytes of all packs. */
  readonly packBytes: number;
  /** Bytes of all index tables. */
  readonly indexBytes: number;
  /** What single reads took. */
  readonly reads?: ReadCosts;
}

/**
 * Runs a case as a program of its own, so that its memory is that of the case
 * and what ran before has warmed nothing up.
 *
 * @param options What to do.
 * @returns What it took.
 * @throws {Error} If it fails, or something else ran than was asked for.
 */
export async function runCase(options: CaseOptions): Promise<CaseResult> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", PROGRAM, JSON.stringify(options)],
    stdin: "null",
  }).output();
  const said = new TextDecoder().decode(stdout);
  if (success) return JSON.parse(said) as CaseResult;
  throw new Error(
    `Cannot measure ${
      options.steps.join(", ")
    } with ${options.workers} workers:\n${
      said + new TextDecoder().decode(stderr)
    }`,
  );
}
