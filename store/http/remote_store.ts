/**
 * A store far away, whatever serves it.
 *
 * @module
 */
import type { Right } from "../serve/options.ts";
import type { AdoptStore, StoreOptions } from "../store.ts";
import type { Limiter } from "../wrap/limiter.ts";
import type { Meter } from "../wrap/meter.ts";
import type { RetryOptions } from "../wrap/retry.ts";

/** A store far away. */
export interface RemoteStore extends AdoptStore, AsyncDisposable {
  /** Whether `snap serve` is there, or a web server that knows nothing of stores. */
  readonly kind: "serve" | "web";
  /** Where it is, without passwords: for messages. */
  readonly location: string;
  /** Counters of requests so far. */
  readonly meter: Meter;
  /** Permitted operations; all others reject with code `EACCES` or `EROFS`. */
  readonly right: Right;
  /**
   * Sends bytes to what the server has for `exchange`, and returns its answer.
   *
   * @param body The bytes.
   * @param options A signal.
   * @returns The answer.
   * @throws {StoreError} If the server has nothing for it, or fails.
   */
  exchange(body: Uint8Array, options?: StoreOptions): Promise<Uint8Array>;
}

/** Options of whatever opens a {@link RemoteStore}. */
export interface RemoteStoreOptions extends StoreOptions {
  /** Longest wait for the next byte of an answer in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  /** The folder for files that wait for their upload. Default: one in the user's cache. */
  readonly spoolFolder?: string;
  /** The environment, which tells the user's cache. Default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Limit of requests and bytes, which several stores may share. Default: one of its own. */
  readonly limiter?: Limiter;
  /** Counters of requests and bytes. Default: own ones. */
  readonly meter?: Meter;
  /**
   * How often `adopt` is repeated, whose file is gone afterwards. Default: never. All
   * else `RetryStore` repeats.
   */
  readonly retry?: RetryOptions;
}
