/**
 * The side of a sync that answers: what a server of a store has for `exchange`.
 *
 * ```ts
 * import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
 * import { initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { serveStore } from "@snap/store/serve";
 * import { syncHandler } from "@snap/sync/serve";
 *
 * const store = new MemoryStore();
 * await initStore(store);
 * const handler = serveStore(store, {
 *   access: { loopback: "append" },
 *   exchange: syncHandler(store, { hasher }),
 * });
 * ```
 *
 * @module
 */
export { syncHandler, type SyncHandlerOptions } from "./sync_handler.ts";
