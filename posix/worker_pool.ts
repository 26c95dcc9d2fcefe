/**
 * Several workers that share one kind of work.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
import {
  startWorker,
  type WorkerError,
  type WorkerHandle,
} from "./worker/worker.ts";

/** Jobs that wait in a worker, so that it never waits for one. */
const AHEAD_MAX = 2;
/** Jobs for which the last worker is worth its start. */
const ALL_WORKERS_MIN = 256;

/** Work for one worker of a {@linkcode WorkerPool}. */
export interface PoolJob {
  /** Its number, unlike that of any other job of the pool. */
  readonly number: number;
  /** Plain bytes in it. */
  readonly byteCount: number;
  /** Whether all workers do it together, as soon as all of them are free. */
  readonly isShared?: boolean;
}

/** Message of a worker to its pool; any other message goes to the owner. */
export type PoolMessage<Result> =
  /** The worker is ready for jobs. */
  | { readonly type: "ready" }
  /** A job is done. */
  | { readonly type: "result"; readonly result: Result }
  /** Its part of a shared job is done. */
  | { readonly type: "helped" }
  /** The work of {@linkcode WorkerPool.ask} is done. */
  | { readonly type: "answered" };

/** The program that has a {@linkcode WorkerPool}: its messages, and what becomes of the answers. */
export interface PoolOwner<Job extends PoolJob, Result> {
  /**
   * Makes the first message of a worker.
   *
   * @returns The message; the worker answers "ready".
   */
  begin(worker: number): unknown;
  /**
   * Makes the message of a job.
   *
   * @returns The message; the worker answers with a result.
   */
  give(job: Job): unknown;
  /**
   * Makes the message of those who take part in a shared job of another worker.
   *
   * @returns The message; the worker answers "helped".
   */
  help?(): unknown;
  /**
   * Makes the last message of a worker: it drops what it has in hand.
   *
   * @returns The message; no answer is waited for.
   */
  end(): unknown;
  /**
   * Takes the result of a job.
   *
   * @param result What the worker answered.
   */
  takeResult(job: Job, result: Result): void;
  /** Takes a message that is none of the pool's. */
  receive?(message: unknown): void;
  /**
   * Learns of the first error; nothing is to be expected after it.
   *
   * @param error What a worker failed with, or what taking an answer threw.
   */
  fail(error: unknown): void;
}

/** Options of a {@linkcode WorkerPool}. */
export interface WorkerPoolOptions<Job extends PoolJob, Result> {
  /** How many workers. */
  readonly count: number;
  /** The module of a worker. */
  readonly url: URL;
  /** Owner of the pool. */
  readonly owner: PoolOwner<Job, Result>;
  /** Whether the last worker starts with the others, as the owner has no time for jobs. */
  readonly startsAll?: boolean;
}

interface PoolWorker<Job> {
  readonly handle: WorkerHandle;
  /** Jobs it has been given. */
  readonly jobs: Map<number, Job>;
  isReady: boolean;
  isHelping: boolean;
  /** Called when it has answered what it was asked. */
  answered: (() => void) | undefined;
}

/**
 * The workers of one program, and the jobs that wait for them. The last of
 * several workers is started late, as small work can do without it: the thread
 * that hands out jobs has time to do some, and a worker costs a tenth of a
 * second of CPU.
 */
export class WorkerPool<
  Job extends PoolJob,
  Result extends { readonly number: number },
> {
  readonly #options: WorkerPoolOptions<Job, Result>;
  readonly #owner: PoolOwner<Job, Result>;
  readonly #workers: PoolWorker<Job>[] = [];
  readonly #queue: Job[] = [];
  #jobCount = 0;
  #isOver = false;
  #isResting = false;
  #isShared = false;
  #changed: PromiseWithResolvers<void> = Promise.withResolvers();

  /**
   * Starts the workers, in general but for the last of several.
   *
   * @param options How many, and for whom.
   */
  constructor(options: WorkerPoolOptions<Job, Result>) {
    this.#options = options;
    this.#owner = options.owner;
    const { count, startsAll = false } = options;
    this.#startUpTo(startsAll ? count : Math.max(1, count - 1));
  }

  /** Jobs that were not given to a worker yet. */
  get waitingCount(): number {
    return this.#queue.length;
  }

  /** Whether jobs are under way, and nothing has failed. */
  get isBusy(): boolean {
    return !this.#isOver && (this.#queue.length > 0 || this.#isAtWork);
  }

  /** Adds a job. */
  submit(job: Job): void {
    if (job.isShared || ++this.#jobCount === ALL_WORKERS_MIN) {
      this.#startUpTo(this.#options.count);
    }
    this.#queue.push(job);
    this.#dispatch();
  }

  /**
   * Gives a job back to be done by the caller, as long as the last worker was not started.
   *
   * @param byteCountMax Plain bytes in it, at most.
   * @returns The job that waits longest, if it may be done there.
   */
  takeBack(byteCountMax: number): Job | undefined {
    const isWanted = this.#workers.length < this.#options.count &&
      !this.#isOver && this.#queue.length > 0 &&
      this.#queue[0].byteCount <= byteCountMax;
    return isWanted ? this.#queue.shift() : undefined;
  }

  /** Resolves when a job has ended or something failed. */
  changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** Lets the workers end what they have in hand, and gives them nothing more. */
  async rest(): Promise<void> {
    this.#isResting = true;
    while (!this.#isOver && this.#isAtWork) await this.changed();
  }

  /** Lets the workers go on. */
  resume(): void {
    this.#isResting = false;
    this.#dispatch();
  }

  /**
   * Asks every worker for the same, and waits for the answers.
   *
   * @param message The message; a worker answers "answered".
   */
  async ask(message: unknown): Promise<void> {
    const answers = this.#workers.map((worker) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      worker.answered = resolve;
      worker.handle.postMessage(message);
      return promise;
    });
    await Promise.race([Promise.all(answers), this.#over()]);
  }

  /** Gives out no more jobs and takes no more results, as the owner has failed. */
  stop(): void {
    this.#isOver = true;
    this.#notify();
  }

  /** Ends the workers. Those that were not told to stop finish what they have. */
  async close(): Promise<void> {
    this.#queue.length = 0;
    await Promise.all(this.#workers.map(async ({ handle }) => {
      handle.postMessage(this.#owner.end());
      // A worker that has failed has been reported.
      await handle.drop().catch(() => {});
    }));
  }

  #startUpTo(count: number): void {
    while (this.#workers.length < count) this.#start(this.#workers.length);
  }

  #start(number: number): void {
    const handle = startWorker(this.#options.url);
    const worker: PoolWorker<Job> = {
      handle,
      jobs: new Map(),
      isReady: false,
      isHelping: false,
      answered: undefined,
    };
    this.#workers.push(worker);
    handle.onMessage((message) =>
      this.#guard(() => this.#receive(worker, message as PoolMessage<Result>))
    );
    handle.onError((error: WorkerError) => this.#fail(error));
    handle.postMessage(this.#owner.begin(number));
  }

  #receive(worker: PoolWorker<Job>, message: PoolMessage<Result>): void {
    switch (message.type) {
      case "ready":
        worker.isReady = true;
        break;
      case "result":
        this.#takeResult(worker, message.result);
        break;
      case "helped":
        worker.isHelping = false;
        break;
      case "answered":
        worker.answered?.();
        return;
      default:
        this.#owner.receive?.(message);
        return;
    }
    this.#dispatch();
    this.#notify();
  }

  #takeResult(worker: PoolWorker<Job>, result: Result): void {
    const job = worker.jobs.get(result.number);
    if (job === undefined || this.#isOver) return;
    worker.jobs.delete(result.number);
    this.#owner.takeResult(job, result);
  }

  #dispatch(): void {
    if (this.#isOver) return;
    if (this.#isShared) {
      if (this.#workers.some((one) => one.isHelping || one.jobs.size > 0)) {
        return;
      }
      this.#isShared = false;
    }
    if (this.#isResting) return;
    while (this.#queue.length > 0) {
      if (this.#queue[0].isShared) return this.#share();
      const worker = this.#leastBusy();
      if (worker === undefined) return;
      this.#give(worker, this.#queue.shift()!);
    }
  }

  /** Gives the first job in the queue to all workers, as soon as all of them are free. */
  #share(): void {
    const isFree = (one: PoolWorker<Job>): boolean =>
      one.isReady && one.jobs.size === 0;
    if (!this.#workers.every(isFree)) return;
    this.#isShared = true;
    const [first, ...helpers] = this.#workers;
    this.#give(first, this.#queue.shift()!);
    for (const helper of helpers) {
      helper.isHelping = true;
      helper.handle.postMessage(this.#owner.help?.());
    }
  }

  #leastBusy(): PoolWorker<Job> | undefined {
    let best: PoolWorker<Job> | undefined;
    for (const worker of this.#workers) {
      if (worker.jobs.size >= AHEAD_MAX) continue;
      if (best === undefined || worker.jobs.size < best.jobs.size) {
        best = worker;
      }
    }
    return best;
  }

  #give(worker: PoolWorker<Job>, job: Job): void {
    worker.jobs.set(job.number, job);
    worker.handle.postMessage(this.#owner.give(job));
  }

  async #over(): Promise<void> {
    while (!this.#isOver) await this.changed();
  }

  get #isAtWork(): boolean {
    return this.#isShared || this.#workers.some(({ jobs }) => jobs.size > 0);
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.fail(error);
    this.#notify();
  }

  #notify(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }
}
