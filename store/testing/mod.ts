/**
 * Test of every store: one suite for all, and a store that fails on demand.
 *
 * @example A store that answers wrongly once
 * ```ts
 * import { MemoryStore } from "@snap/store/memory";
 * import { FaultStore } from "@snap/store/testing";
 * import { rejects } from "node:assert/strict";
 *
 * const store = new FaultStore(new MemoryStore(), { at: [{ call: 1, fault: "full" }] });
 * await rejects(store.create("index/aa", new Uint8Array(3)), { code: "ENOSPC" });
 * await store.create("index/aa", new Uint8Array(3));
 * ```
 *
 * @module
 */
export * from "./fault_store.ts";
export * from "./test_store.ts";
