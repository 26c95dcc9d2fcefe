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
export * from "../each.ts";
export * from "../or_aborted.ts";
export * from "./around_store.ts";
export * from "./deadline.ts";
export * from "./fetch_bytes.ts";
export * from "./limiter.ts";
export * from "./meter.ts";
export * from "./pace.ts";
export * from "./remote_error.ts";
export * from "./retry.ts";
export * from "./retry_store.ts";
export * from "./timing.ts";
