/**
 * A store that does again what failed for a reason that passes.
 *
 * @module
 */
import { checkBytes } from "@snap/hash";
import { cannot } from "../cannot.ts";
import type { PruneStore, StoreEntry, StoreOptions } from "../store.ts";
import { createAgain, isOurs, markOf } from "./ours.ts";
import { AroundStore, type StoreCall } from "./around_store.ts";
import { withDeadline } from "./deadline.ts";
import { RemoteError } from "./remote_error.ts";
import { retry, type RetryOptions } from "./retry.ts";

/** Options of {@link RetryStore}. */
export interface RetryStoreOptions extends RetryOptions {
  /** How long one try may take in milliseconds. Default: for ever. */
  readonly deadlineMs?: number;
}

/**
 * Repeats reads, lists, creates and removals that failed for a reason that
 * passes, and ends what takes too long. A create whose answer was lost is told
 * by size and header of what stands there. What takes over a file, and what
 * makes things durable, is not repeated: the file is gone, and a failed sync is
 * final.
 *
 * @example A create whose answer is lost
 * ```ts
 * import { MemoryStore } from "@snap/store/memory";
 * import { FaultStore } from "@snap/store/testing";
 * import { RetryStore } from "@snap/store/wrap";
 * import { strictEqual } from "node:assert/strict";
 *
 * const plan = { at: [{ call: 1, fault: "lost" }] } as const;
 * const store = new RetryStore(new FaultStore(new MemoryStore(), plan), { pauseFirstMs: 1 });
 * strictEqual(await store.create("index/aa", new Uint8Array(100)), true);
 * ```
 */
export class RetryStore extends AroundStore {
  readonly #options: RetryStoreOptions;

  /** Wraps a store. */
  constructor(inner: PruneStore, options: RetryStoreOptions = {}) {
    super(inner);
    this.#options = options;
  }

  /**
   * Runs one call, again where that helps.
   *
   * @returns What it returns.
   */
  protected override async around<T>(
    call: StoreCall,
    run: (signal?: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { action, signal } = call;
    if (action === "adopt" || action === "sync") return await run(signal);
    const once = () => this.#once(call, run);
    return await retry(once, this.#options, signal);
  }

  /**
   * Creates a name if it is absent.
   *
   * @returns True if this call created the name, also by a try whose answer was lost.
   * @throws {StoreError} If it could not be created.
   */
  override async create(
    name: string,
    bytes: Uint8Array,
    options?: StoreOptions,
  ): Promise<boolean> {
    checkBytes(bytes, "content");
    const signal = options?.signal;
    const mark = markOf(name, bytes);
    const call = {
      action: "create",
      name,
      bytes: bytes.length,
      signal,
    } as const;
    return await createAgain(
      mark,
      () =>
        this.#once(call, (signal) => {
          return this.inner.create(name, bytes, signal && { signal });
        }),
      () => isOurs(this.inner, mark, signal),
      this.#options,
      signal,
    );
  }

  /**
   * Lists every name that begins with a prefix. A list that breaks off is begun
   * anew, without the names that were told.
   *
   * @param prefix What the names begin with.
   * @returns Batches of entries.
   * @throws {StoreError} If the store cannot be listed.
   */
  override async *list(
    prefix: string,
    options?: StoreOptions,
  ): AsyncGenerator<StoreEntry[]> {
    const told = new Set<string>();
    const signal = options?.signal;
    const call = { action: "list", name: prefix, bytes: 0, signal } as const;
    let batches: AsyncIterator<StoreEntry[]> | undefined;
    let stop = new AbortController();
    const begin = () => {
      stop = new AbortController();
      const options = { signal: stop.signal };
      return this.inner.list(prefix, options)[Symbol.asyncIterator]();
    };
    const next = async () => {
      try {
        return await this.#once(call, async (signal) => {
          batches ??= begin();
          const end = () => stop.abort(signal!.reason);
          if (signal?.aborted) end();
          signal?.addEventListener("abort", end, { once: true });
          try {
            return await batches.next();
          } finally {
            signal?.removeEventListener("abort", end);
          }
        });
      } catch (error) {
        batches = undefined; // An iterator that threw is over.
        throw error;
      }
    };
    try {
      while (true) {
        const { done, value } = await retry(next, this.#options, signal);
        if (done === true) return;
        const batch = value.filter(({ name }) => !told.has(name));
        for (const { name } of batch) told.add(name);
        if (batch.length > 0) yield batch;
      }
    } finally {
      await batches?.return?.();
    }
  }

  async #once<T>(
    { action, name, signal }: StoreCall,
    run: (signal?: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { deadlineMs, timing } = this.#options;
    if (deadlineMs === undefined) return await run(signal);
    const makeError = () =>
      new RemoteError(`${cannot(action, name)}: no answer in time`, {
        code: "ETIMEDOUT",
        action,
        storeName: name,
        isTransient: true,
        mayHaveHappened: true,
      });
    const options = { ms: deadlineMs, makeError, signal };
    return await withDeadline(
      timing === undefined ? options : { ...options, timing },
      (signal) => run(signal),
    );
  }
}
