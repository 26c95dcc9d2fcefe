/**
 * Stores around stores: what fails for a reason that passes is done again, what
 * is too much at once waits, and all of it is counted. The same parts (`retry`,
 * `Limiter`, `Meter`) serve stores that make several requests for one call, such
 * as that of `@snap/store/s3`, at each of their requests.
 *
 * @example A store that fails now and then, and is not seen to
 * ```ts
 * import { MemoryStore } from "@snap/store/memory";
 * import { FaultStore } from "@snap/store/testing";
 * import { MeterStore, RetryStore } from "@snap/store/wrap";
 * import { strictEqual } from "node:assert/strict";
 *
 * const plan = { at: [{ call: 1, fault: "error" }] } as const;
 * const metered = new MeterStore(new FaultStore(new MemoryStore(), plan));
 * const store = new RetryStore(metered, { pauseFirstMs: 1 });
 * await store.create("index/aa", new Uint8Array(3));
 * strictEqual(metered.meter.requests, 2);
 * ```
 *
 * @module
 */
export * from "./around_store.ts";
export {
  type LimitedRequest,
  Limiter,
  type LimiterOptions,
  LimitStore,
} from "./limiter.ts";
export * from "./meter.ts";
export * from "./pace.ts";
export { RemoteError, type RemoteErrorFields } from "./remote_error.ts";
export type { RetryOptions } from "./retry.ts";
export * from "./retry_store.ts";
export type { Timing } from "./timing.ts";
/** @internal */
export { eachOf } from "../each.ts";
/** @internal */
export { orAborted } from "../or_aborted.ts";
/** @internal */
export { type DeadlineOptions, withDeadline } from "./deadline.ts";
/** @internal */
export { isTransient } from "./remote_error.ts";
/** @internal */
export { retry } from "./retry.ts";
/** @internal */
export { systemTiming } from "./timing.ts";
