/**
 * Turns of the event loop for what works long on the main thread.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */

/** Work without a turn, in milliseconds. What is done between two looks at the clock comes on top. */
const WORK_MS = 4;
/** The clock is looked at after so much work: bytes, or what takes as long. */
const LOOK_COST = 256 * 1024;
/** Cost of a small step, such as one entry of a directory. */
const STEP_COST = 4096;
/**
 * Rounds of the event loop in a turn. Deno asks for what comes from other threads and from the
 * network, while there is something else to do, in one round of some ten only. A timer would cost
 * a millisecond, and a message channel stays open for a while.
 */
const ROUNDS = 32;

/** The least time between two calls of an `onProgress`, in milliseconds. */
export const PROGRESS_INTERVAL_MS = 100;

// One for all that this thread does: ten streams at once work no longer without a turn than one.
let cost = 0;
let turnMs = performance.now();
let turning: Promise<void> | undefined;

/** Options of {@linkcode Pacer}. */
export interface PacerOptions {
  /** Ends the work: its reason is thrown after a turn. */
  readonly signal?: AbortSignal | undefined;
  /** Called before each turn. */
  readonly onTurn?: () => void;
}

/**
 * Lets the event loop have its turn every few milliseconds, so that timers, signals and other
 * requests live while something works long: where all that is awaited is there already, nothing
 * but what was awaited ever runs.
 *
 * @example
 * ```ts
 * import { Pacer } from "@snap/posix/pacer";
 *
 * async function sum(pieces: Iterable<Uint8Array>, signal?: AbortSignal) {
 *   const pacer = new Pacer({ signal });
 *   let sum = 0;
 *   for (const piece of pieces) {
 *     for (const byte of piece) sum += byte;
 *     await pacer.yield(piece.length);
 *   }
 *   return sum;
 * }
 * ```
 */
export class Pacer {
  readonly #options: PacerOptions;

  /** Does nothing yet. */
  constructor(options: PacerOptions = {}) {
    this.#options = options;
  }

  /**
   * Counts work, and lets the event loop have its turn where it is time.
   *
   * @param done The work that was done, in bytes; that of a small step if left out.
   * @returns What to wait for, `undefined` where the work can go on.
   */
  yield(done: number = STEP_COST): Promise<void> | undefined {
    cost += done;
    if (cost < LOOK_COST) return undefined;
    cost = 0;
    return performance.now() - turnMs < WORK_MS ? undefined : this.turn();
  }

  /**
   * Lets the event loop have its turn, also if it had one just now.
   *
   * @returns When messages of workers, timers and signals have come in.
   */
  async turn(): Promise<void> {
    const { signal, onTurn } = this.#options;
    onTurn?.();
    await (turning ??= takeTurn());
    signal?.throwIfAborted();
  }

  /**
   * Runs steps to their end, or has them end where the signal comes first.
   *
   * @param steps What works; each step gives the work that was done.
   * @returns What the steps return.
   */
  async run<T>(steps: Iterator<number, T>): Promise<T> {
    try {
      for (let step = steps.next();; step = steps.next()) {
        if (step.done) return step.value;
        const turn = this.yield(step.value);
        if (turn !== undefined) await turn;
      }
    } finally {
      steps.return?.();
    }
  }
}

/**
 * Runs steps to their end without a turn, where nobody waits for the event loop of the thread.
 *
 * @param steps What works.
 * @returns What the steps return.
 */
export function runAtOnce<T>(steps: Iterator<number, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

async function takeTurn(): Promise<void> {
  for (let i = 0; i < ROUNDS; i++) {
    await new Promise((resolve) => void setImmediate(resolve));
  }
  turnMs = performance.now();
  turning = undefined;
}
