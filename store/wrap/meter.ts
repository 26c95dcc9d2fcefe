/**
 * Counting what goes to a store and comes from it.
 *
 * @module
 */
import type { StoreAction } from "../errors.ts";
import type { PruneStore } from "../store.ts";
import { AroundStore, type StoreCall } from "./around_store.ts";

/** Counters, which whoever shows progress reads at any time. */
export class Meter {
  /** Requests that were begun, those that were repeated among them. */
  requests = 0;
  /** Requests that were begun again after a failure. */
  retries = 0;
  /** Answers that asked for fewer requests. */
  throttled = 0;
  /** Requests that failed. */
  failures = 0;
  /** Requests under way. */
  inFlight = 0;
  /** Bytes of content that came. */
  bytesIn = 0;
  /** Bytes of content that went. */
  bytesOut = 0;
  /** Requests by what was done. */
  readonly byAction: Map<StoreAction, number> = new Map();

  /**
   * Counts one request.
   *
   * @param action What is done.
   * @returns What it returns.
   */
  async run<T>(action: StoreAction, run: () => Promise<T>): Promise<T> {
    this.requests++;
    this.inFlight++;
    this.byAction.set(action, (this.byAction.get(action) ?? 0) + 1);
    try {
      return await run();
    } catch (error) {
      this.failures++;
      throw error;
    } finally {
      this.inFlight--;
    }
  }
}

/** A store whose calls are counted. */
export class MeterStore extends AroundStore {
  /** The counters. */
  readonly meter: Meter;

  /**
   * Wraps a store.
   *
   * @example What a read costs
   * ```ts
   * import { MemoryStore } from "@snap/store/memory";
   * import { MeterStore } from "@snap/store/wrap";
   * import { deepStrictEqual } from "node:assert/strict";
   *
   * const store = new MeterStore(new MemoryStore());
   * await store.create("index/aa", new Uint8Array(100));
   * await store.read("index/aa", { length: 10 });
   * const { requests, bytesIn, bytesOut } = store.meter;
   * deepStrictEqual([requests, bytesIn, bytesOut], [2, 10, 100]);
   * ```
   *
   * @param meter The counters, which several stores may share. Default: new ones.
   */
  constructor(inner: PruneStore, meter: Meter = new Meter()) {
    super(inner);
    this.meter = meter;
  }

  /**
   * Counts one call.
   *
   * @returns What it returns.
   */
  protected override async around<T>(
    call: StoreCall,
    run: (signal?: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { meter } = this;
    const result = await meter.run(call.action, () => run());
    if (result instanceof Uint8Array) meter.bytesIn += result.length;
    if (call.action === "create" && result === true) {
      meter.bytesOut += call.bytes;
    }
    return result;
  }
}
