// What runs next: one thing at a time, chosen by chance that has a seed.
import { createHash, type Hash } from "node:crypto";
import type { Prng } from "../_prng.ts";

/** A rule of the simulation was broken: the one error that ends a run. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** Why what a process waited for never comes. */
export class KilledError extends Error {
  override readonly name = "KilledError";
}

/** A record that a process has written. */
export interface WrittenName {
  /** Where it lies. */
  readonly disk: { acknowledged(name: string): void };
  /** The name of its file. */
  readonly name: string;
}

/** A program that runs, until it is killed. */
export class Process {
  readonly name: string;
  /** Given when it is asked to stop, as Ctrl-C does: what it cleans up, it can. */
  readonly interrupt: AbortController = new AbortController();
  isDead = false;
  /** Until then it has no turn, as if it were stopped, or its machine asleep. */
  sleepsUntil = 0;
  /** Records that it has written, to be told of once it has ended well. */
  readonly records: WrittenName[] = [];

  constructor(name: string) {
    this.name = name;
  }
}

interface Waiting {
  readonly process: Process;
  readonly label: string;
  /** When it goes on, in milliseconds. */
  readonly at: number;
  readonly go: () => void;
  readonly fail: (error: unknown) => void;
}

/** What is kept of the trace, to be looked at. */
const NOTES_MAX = 40;

/** The real one: the clock of the run is another. */
const { setImmediate } = globalThis;

/** Holds all that waits, and lets one of them go on when nothing else can. */
export class Scheduler {
  /** Milliseconds since the beginning. */
  now = 0;
  /** How often something went on. */
  stepCount = 0;
  readonly #prng: Prng;
  readonly #trace: Hash = createHash("sha256");
  readonly #waiting: Waiting[] = [];
  readonly #last: string[] = [];
  #violation: Violation | undefined;
  /** Called before each step. */
  onStep: () => void = () => {};

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** The hash of all that has happened, in its order. */
  get traceHash(): string {
    return this.#trace.copy().digest("hex");
  }

  /** The last of what has happened. */
  get lastNotes(): readonly string[] {
    return this.#last;
  }

  /** Adds to the trace. */
  note(text: string): void {
    const line = `${this.now.toFixed(3)} ${text}`;
    this.#trace.update(`${line}\n`);
    if (this.#last.push(line) > NOTES_MAX) this.#last.shift();
  }

  /** Ends the run: whatever the code under test makes of an error. */
  violate(message: string, cause?: unknown): never {
    this.#violation ??= new Violation(message, { cause });
    throw this.#violation;
  }

  /**
   * Waits for a turn.
   *
   * @param process Whose turn; one that is dead has none.
   * @param label What it will do.
   * @param ms How long it takes at least; by chance if left out.
   */
  turn(process: Process, label: string, ms?: number): Promise<void> {
    if (process.isDead) return Promise.reject(new KilledError(process.name));
    const at = this.now + (ms ?? this.#latency());
    return new Promise((go, fail) => {
      this.#waiting.push({ process, label, at, go, fail });
    });
  }

  /** Ends a process: nothing that it waits for comes. */
  kill(process: Process): void {
    this.note(`kill ${process.name}`);
    process.isDead = true;
    const theirs = this.#waiting.filter((one) => one.process === process);
    for (const one of theirs) {
      this.#waiting.splice(this.#waiting.indexOf(one), 1);
      one.fail(new KilledError(process.name));
    }
  }

  /**
   * Runs until some work has ended.
   *
   * @param work The work.
   * @param stepsMax After so many steps it will never end.
   */
  async run(work: Promise<void>, stepsMax: number): Promise<void> {
    let isDone = false;
    const ending = work.finally(() => isDone = true);
    ending.catch(() => {});
    const last = this.stepCount + stepsMax;
    for (;;) {
      // Whatever can go on without a turn has done so afterwards.
      await new Promise((resolve) => void setImmediate(resolve));
      if (this.#violation !== undefined) throw this.#violation;
      if (isDone) return await ending;
      const next = this.#take();
      if (next === undefined) this.violate("Everything waits for ever");
      if (this.stepCount++ === last) {
        this.violate(`No end after ${stepsMax} steps`);
      }
      this.now = Math.max(this.now, dueAt(next));
      this.note(`${next.process.name} ${next.label}`);
      next.go();
      this.onStep();
    }
  }

  /** Takes what is due first. */
  #take(): Waiting | undefined {
    if (this.#waiting.length === 0) return undefined;
    let first = 0;
    for (let i = 1; i < this.#waiting.length; i++) {
      if (dueAt(this.#waiting[i]) < dueAt(this.#waiting[first])) first = i;
    }
    return this.#waiting.splice(first, 1)[0];
  }

  /** Some milliseconds, now and then so many that everything else passes by. */
  #latency(): number {
    const ms = this.#prng.unit() * 10;
    return this.#prng.below(16) === 0 ? ms * 100 : ms;
  }
}

function dueAt({ at, process }: Waiting): number {
  return Math.max(at, process.sleepsUntil);
}
