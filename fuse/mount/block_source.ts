import type { ReadStore } from "@snap/store";
import { FetchAnswers } from "./fetches.ts";
import { Fetcher } from "./fetcher.ts";
import { FetchMemory } from "./fetch_memory.ts";
import type { FetchedSource, LocalSource } from "./mount_messages.ts";

/** Memory for stored bytes that were fetched, in bytes. */
const MEMORY_SIZE = 32 << 20;

/** Where the workers of a mount get the bytes of a store from. */
export interface WorkerSource {
  /** What fetches for them; nothing where they open files themselves. */
  readonly fetcher?: Fetcher;
  /** What worker `number` is told. */
  sourceOf(number: number): LocalSource | FetchedSource;
}

/**
 * Finds out how workers read a store: its files, or what the main thread fetches.
 *
 * @param store The store.
 * @param parts How many workers there are, how one is woken, and who is told of failures.
 */
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

/**
 * What the path of every file of a store begins with, if it has files.
 *
 * @param store The store.
 */
export function localPrefix(store: ReadStore): string | undefined {
  const name = "index/0";
  const path = store.localPath?.(name);
  return path?.endsWith(name) ? path.slice(0, -name.length) : undefined;
}
