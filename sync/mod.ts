/**
 * Snapshots from store to store: what is missing crosses, checked on both sides,
 * the record last.
 *
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { MemoryStore } from "@snap/store/memory";
 * import { initStore } from "@snap/store/format";
 * import { storePeer, sync } from "@snap/sync";
 * import { strictEqual } from "node:assert/strict";
 *
 * const here = new MemoryStore(), there = new MemoryStore();
 * await initStore(here);
 * await initStore(there);
 * const report = await sync(
 *   storePeer(here, { hasher: wasmHasher }),
 *   storePeer(there, { hasher: wasmHasher }),
 * );
 * strictEqual(report.recordsCopied, 0);
 * ```
 *
 * The parts have entry points of their own:
 *
 * - `@snap/sync/protocol`: the messages, for those who look into them
 * - `@snap/sync/serve`: the side that answers
 * - `@snap/sync/testing`: transports that fail on purpose
 * - `@snap/sync/worker`: started by the engine, so that it can be found wherever the package lies
 *
 * @module
 */
export * from "./engine/clone.ts";
export * from "./engine/copy.ts";
export * from "./engine/sync.ts";
export * from "./errors.ts";
export * from "./options.ts";
export * from "./peer/peer.ts";
export * from "./peer/remote_peer.ts";
export * from "./peer/store_peer.ts";
export * from "./transport.ts";
