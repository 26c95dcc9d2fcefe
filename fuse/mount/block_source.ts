import { localPrefix } from "@snap/pack/read";
import type { ReadStore } from "@snap/store";
import { FetchAnswers } from "./fetches.ts";
import { Fetcher } from "./fetcher.ts";
import { FetchMemory } from "./fetch_memory.ts";
import type { FetchedSource, LocalSource } from "./mount_messages.ts";

/** Memory for stored bytes that were fetched, in bytes. */
const MEMORY_SIZE = 32 << 20;

/** The source of stored bytes for the workers of a mount. */
export interface WorkerSource {
  /** The fetcher of the main thread; absent where workers open files themselves. */
  readonly fetcher?: Fetcher;
  /** The source that worker `number` is given. */
  sourceOf(number: number): LocalSource | FetchedSource;
}

/** Chooses how workers read a store: its files, or blocks that the main thread fetches. */
export function workerSource(
  store: ReadStore,
  parts: {
    readonly count: number;
    readonly deadlineMs: number;
    readonly wake: (number: number) => void;
    readonly onFault: (name: string, error: unknown) => void;
  },
): WorkerSource {
  const prefix = localPrefix(store);
  if (prefix !== undefined) {
    return { sourceOf: () => ({ kind: "local", prefix }) };
  }
  const { count, deadlineMs, wake, onFault } = parts;
  const memory = FetchMemory.create(MEMORY_SIZE);
  const answers = Array.from({ length: count }, () => new FetchAnswers());
  const fetcher = new Fetcher({
    store,
    memory,
    deadlineMs,
    answer(worker, number, answer) {
      answers[worker].set(number, answer);
      wake(worker);
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
  };
}
