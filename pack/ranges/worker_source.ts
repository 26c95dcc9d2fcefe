import type { ReadStore } from "@snap/store";
import { FetchAnswers } from "./fetched_ranges.ts";
import { Fetcher } from "./fetcher.ts";
import { FetchMemory } from "./fetch_memory.ts";
import { localPrefix } from "./open_ranges.ts";

/** Files that a worker opens itself. */
export interface LocalSource {
  /** Always `local`. */
  readonly kind: "local";
  /** The beginning of the path of each file. */
  readonly prefix: string;
}

/** Files that the main thread reads for a worker. */
export interface FetchedSource {
  /** Always `fetched`. */
  readonly kind: "fetched";
  /** Memory of a `FetchMemory`. */
  readonly memory: SharedArrayBuffer;
  /** Words of a `FetchAnswers`. */
  readonly answers: SharedArrayBuffer;
}

/** The source of stored bytes for workers. */
export interface WorkerSource {
  /** The fetcher of the main thread; absent where workers open files themselves. */
  readonly fetcher?: Fetcher;
  /**
   * Makes the source that a worker is given.
   *
   * @param number The number of the worker.
   * @returns The source, to be posted.
   */
  sourceOf(number: number): LocalSource | FetchedSource;
  /** Wakes workers that sleep in their ranges, so that they see what else is new. */
  wake(): void;
}

/** Options of {@linkcode workerSource}. */
export interface WorkerSourceOptions {
  /** Number of workers. */
  readonly count: number;
  /** Memory for stored bytes that were fetched, in bytes. */
  readonly sizeMax: number;
  /** Whether what is read will not be asked for again soon: no cache keeps it. */
  readonly isOnce?: boolean;
  /** How long a read may take, in milliseconds; as long as the store lets it if left out. */
  readonly deadlineMs?: number;
  /** Called when there is an answer for a worker that sleeps elsewhere than in its ranges. */
  readonly wake?: (number: number) => void;
  /** Called for each read that failed. */
  readonly onFault: (name: string, error: unknown) => void;
}

/**
 * Chooses how workers read a store: its files, or blocks that the main thread fetches.
 *
 * @param store The store.
 * @param options Number of workers, memory, deadline, and callbacks.
 * @returns The source.
 */
export function workerSource(
  store: ReadStore,
  options: WorkerSourceOptions,
): WorkerSource {
  const prefix = localPrefix(store);
  if (prefix !== undefined) {
    return { sourceOf: () => ({ kind: "local", prefix }), wake() {} };
  }
  const { count, deadlineMs, isOnce, sizeMax, wake, onFault } = options;
  const memory = FetchMemory.create(sizeMax);
  const answers = Array.from({ length: count }, () => new FetchAnswers());
  const fetcher = new Fetcher({
    store,
    memory,
    deadlineMs,
    isOnce,
    answer(worker, number, answer) {
      answers[worker].set(number, answer);
      answers[worker].wake();
      wake?.(worker);
    },
    onFault,
  });
  return {
    fetcher,
    sourceOf: (number) => ({
      kind: "fetched",
      memory: memory.buffer,
      answers: answers[number].buffer,
    }),
    wake: () => answers.forEach((one) => one.wake()),
  };
}
