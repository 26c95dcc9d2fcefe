import { IdMismatchError } from "@snap/hash";
import type { StoreReader } from "@snap/pack/read";
import type { Counters } from "../counters.ts";
import type { ServedContent } from "./file_contents.ts";

/** Time without a request after which a mount is idle, in milliseconds. */
const IDLE_MS = 100;
/** Longest wait at the end for a store that does not look at its signal, in milliseconds. */
const STOP_MS = 100;
/** Contents that wait at most; more are not checked as a whole. */
const QUEUE_MAX = 1024;
/** Bytes that are read in one go. */
const TURN_SIZE = 1 << 20;

/** Parts of {@linkcode ContentChecks}. */
export interface ContentChecksParts {
  readonly reader: () => StoreReader;
  readonly counters: Counters;
  /** Told of content whose chunks are right and whose whole is not. */
  readonly onLie: (content: ServedContent, error: IdMismatchError) => void;
  /** Told of content that could not be read. */
  readonly onFault: (content: ServedContent, error: unknown) => void;
}

/**
 * Reads large contents as a whole while nobody uses the mount. Each chunk was checked before it
 * was handed on; that they are the chunks of this content is known when all were hashed as one.
 */
export class ContentChecks {
  readonly #parts: ContentChecksParts;
  readonly #queue: ServedContent[] = [];
  readonly #stop = new AbortController();
  #run: Promise<void> | undefined;

  constructor(parts: ContentChecksParts) {
    this.#parts = parts;
  }

  /** Adds a content, unless too many wait. */
  add(content: ServedContent): void {
    if (this.#queue.length >= QUEUE_MAX) return;
    this.#queue.push(content);
    this.#run ??= this.#checkAll().finally(() => this.#run = undefined);
  }

  /** Ends what is under way. */
  async stop(): Promise<void> {
    this.#queue.length = 0;
    this.#stop.abort();
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, STOP_MS);
    await Promise.race([this.#run, late.promise]);
    clearTimeout(timer);
  }

  async #checkAll(): Promise<void> {
    const { signal } = this.#stop;
    for (;;) {
      const content = this.#queue.shift();
      if (content === undefined || signal.aborted) return;
      try {
        await this.#check(content);
      } catch (error) {
        if (signal.aborted) return;
        const { onLie, onFault } = this.#parts;
        if (error instanceof IdMismatchError) onLie(content, error);
        else onFault(content, error);
      }
    }
  }

  async #check({ id, size }: ServedContent): Promise<void> {
    const { signal } = this.#stop;
    await this.#idle();
    const content = await this.#parts.reader().openContent(id, size, {
      signal,
    });
    let seen = this.#parts.counters.totalRequests();
    let read = 0;
    for await (const piece of content.stream({ signal })) {
      read += piece.length;
      if (read < TURN_SIZE) continue;
      read = 0;
      // Fetches and signals have their turn.
      await new Promise<void>((resolve) => setTimeout(resolve));
      if (this.#parts.counters.totalRequests() !== seen) await this.#idle();
      seen = this.#parts.counters.totalRequests();
    }
  }

  /** Waits until no request came for a while. */
  async #idle(): Promise<void> {
    let seen = -1;
    while (!this.#stop.signal.aborted) {
      const now = this.#parts.counters.totalRequests();
      if (now === seen) return;
      seen = now;
      await this.#pause();
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#stop;
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, IDLE_MS);
      signal.addEventListener("abort", wake);
    });
  }
}
