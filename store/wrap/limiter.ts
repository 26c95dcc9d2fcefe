/**
 * One limit for all that share it: of requests and bytes under way, and of bytes
 * a second.
 *
 * @module
 */
import type { PruneStore } from "../store.ts";
import { AroundStore, type StoreCall } from "./around_store.ts";
import { Pace } from "./pace.ts";
import { RemoteError } from "./remote_error.ts";
import { systemTiming, type Timing } from "./timing.ts";

/** Most requests under way unless said otherwise. */
export const REQUESTS_MAX = 64;
/** Requests under way at the beginning. */
export const REQUESTS_FIRST = 8;
/** Most bytes under way unless said otherwise. */
export const BYTES_IN_FLIGHT_MAX: number = 64 * 1024 * 1024;

/** A request that takes this many times as long as the fastest of its size waits in a queue. */
const SLOW_FACTOR = 5;
/** Time that a request may take longer than the fastest, whatever that took, in milliseconds. */
const SLOW_MS = 100;
/** Requests after which the fastest is looked for anew. */
const FASTEST_COUNT = 256;

/** Options of {@link Limiter}. */
export interface LimiterOptions {
  /** Most requests under way. The number adapts itself below it. Default: {@link REQUESTS_MAX}. */
  readonly requestsMax?: number;
  /** Most bytes under way. A request of more goes alone. Default: {@link BYTES_IN_FLIGHT_MAX}. */
  readonly bytesInFlightMax?: number;
  /** Most bytes a second, in both directions together. Default: no limit. */
  readonly bytesPerSecond?: number;
  /** A rate that others keep, too, in the place of one of its own. */
  readonly pace?: Pace;
  /** The clock. Default: that of the system. */
  readonly timing?: Timing;
}

/** A request, for {@link Limiter.run}. */
export interface LimitedRequest {
  /** How many bytes go and are expected to come. */
  readonly bytes: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

interface Waiting {
  readonly bytes: number;
  readonly admit: () => void;
}

/**
 * Lets requests begin in their order, as many at once as the other side bears:
 * the number doubles until it is slowed down, then grows by one for each round,
 * and is cut when the other side asks for it or answers late.
 *
 * @example Two at once
 * ```ts
 * import { Limiter } from "@snap/store/wrap";
 * import { strictEqual } from "node:assert/strict";
 *
 * const limiter = new Limiter({ requestsMax: 2 });
 * let underWay = 0, most = 0;
 * const request = () =>
 *   limiter.run({ bytes: 0 }, async () => {
 *     most = Math.max(most, ++underWay);
 *     await Promise.resolve();
 *     underWay--;
 *   });
 * await Promise.all([request(), request(), request()]);
 * strictEqual(most, 2);
 * ```
 */
export class Limiter {
  readonly #requestsMax: number;
  readonly #bytesMax: number;
  readonly #pace: Pace | undefined;
  readonly #timing: Timing;
  readonly #queue: Waiting[] = [];
  readonly #fastest = new Map<number, Fastest>();
  #window: number;
  /** The window that was too large last. */
  #threshold = Infinity;
  #requests = 0;
  #bytes = 0;
  /** Counts cuts: what began before the last one says nothing new. */
  #cuts = 0;

  /**
   * Makes a limit.
   *
   * @param options The limits.
   * @throws {RangeError} If one is not above 0.
   */
  constructor(options: LimiterOptions = {}) {
    this.#requestsMax = checkLimit(
      "requests",
      options.requestsMax ?? REQUESTS_MAX,
    );
    this.#bytesMax = checkLimit(
      "bytes in flight",
      options.bytesInFlightMax ?? BYTES_IN_FLIGHT_MAX,
    );
    const { bytesPerSecond, pace, timing = systemTiming } = options;
    this.#pace = pace ??
      (bytesPerSecond === undefined
        ? undefined
        : new Pace(bytesPerSecond, timing));
    this.#timing = timing;
    this.#window = Math.min(REQUESTS_FIRST, this.#requestsMax);
  }

  /** How many requests may be under way at present. */
  get window(): number {
    return Math.floor(this.#window);
  }

  /**
   * Runs a request when its turn comes.
   *
   * @param request Its size, and a signal.
   * @param run Runs it. It gets a function to tell bytes that were not expected.
   * @returns What it returns.
   */
  async run<T>(
    request: LimitedRequest,
    run: (tell: (bytes: number) => void) => Promise<T>,
  ): Promise<T> {
    const { signal } = request;
    const bytes = Math.min(request.bytes, this.#bytesMax);
    await this.#enter(bytes, signal);
    const cuts = this.#cuts;
    const isFull = this.#requests >= this.window;
    let moved = request.bytes;
    try {
      await this.#pace?.wait(request.bytes, signal);
      const start = this.#timing.now();
      const result = await run((more) => {
        moved += more;
        this.#pace?.book(more);
      });
      const ms = this.#timing.now() - start;
      if (this.#isLate(moved, ms)) this.#cut(cuts, 0.75);
      else if (isFull) this.#grow();
      return result;
    } catch (error) {
      if (error instanceof RemoteError && error.isThrottled) {
        this.#cut(cuts, 0.5);
      }
      throw error;
    } finally {
      this.#requests--;
      this.#bytes -= bytes;
      this.#admit();
    }
  }

  async #enter(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        this.#queue.splice(this.#queue.indexOf(waiting), 1);
        reject(signal!.reason);
        this.#admit(); // The next one may be smaller.
      };
      const waiting = {
        bytes,
        admit: () => {
          signal?.removeEventListener("abort", leave);
          resolve();
        },
      };
      this.#queue.push(waiting);
      signal?.addEventListener("abort", leave, { once: true });
      this.#admit();
    });
  }

  #admit(): void {
    while (this.#queue.length > 0 && this.#requests < this.window) {
      const { bytes, admit } = this.#queue[0];
      if (this.#requests > 0 && this.#bytes + bytes > this.#bytesMax) return;
      this.#queue.shift();
      this.#requests++;
      this.#bytes += bytes;
      admit();
    }
  }

  #grow(): void {
    const step = this.#window < this.#threshold ? 1 : 1 / this.#window;
    this.#window = Math.min(this.#requestsMax, this.#window + step);
  }

  #cut(cuts: number, factor: number): void {
    if (cuts !== this.#cuts) return;
    this.#cuts++;
    this.#window = Math.max(1, this.#window * factor);
    this.#threshold = this.#window;
  }

  /** Whether a request took much longer than those of its size can. */
  #isLate(bytes: number, ms: number): boolean {
    const sizeClass = 32 - Math.clz32(Math.min(bytes, 2 ** 31));
    const known = this.#fastest.get(sizeClass);
    if (known === undefined) {
      this.#fastest.set(sizeClass, { ms, nextMs: Infinity, count: 0 });
      return false;
    }
    known.nextMs = Math.min(known.nextMs, ms);
    // The way may have become longer for good: the past is forgotten.
    if (++known.count >= FASTEST_COUNT) {
      known.ms = known.nextMs;
      known.nextMs = Infinity;
      known.count = 0;
    }
    known.ms = Math.min(known.ms, ms);
    return ms > known.ms * SLOW_FACTOR + SLOW_MS;
  }
}

interface Fastest {
  ms: number;
  nextMs: number;
  count: number;
}

function checkLimit(what: string, value: number): number {
  if (value > 0) return value;
  throw new RangeError(
    `Cannot limit ${what} to ${value}: a limit is above 0`,
  );
}

/** A store whose calls keep a limit. A file that is taken over counts as no bytes. */
export class LimitStore extends AroundStore {
  readonly #limiter: Limiter;

  /** Wraps a store. */
  constructor(inner: PruneStore, limiter: Limiter) {
    super(inner);
    this.#limiter = limiter;
  }

  /**
   * Runs one call when its turn comes.
   *
   * @returns What it returns.
   */
  protected override async around<T>(
    call: StoreCall,
    run: (signal?: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return await this.#limiter.run(call, async (tell) => {
      const result = await run();
      if (result instanceof Uint8Array) tell(result.length - call.bytes);
      return result;
    });
  }
}
