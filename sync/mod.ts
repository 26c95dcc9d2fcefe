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
 * - `@snap/sync/serve`: the side that answers
 * - `@snap/sync/testing`: transports that fail on purpose
 *
 * @module
 */
export * from "./engine/clone.ts";
export * from "./engine/copy.ts";
export * from "./engine/sync.ts";
export {
  SyncError,
  type SyncErrorCode,
  type SyncErrorFields,
} from "./errors.ts";
export * from "./options.ts";
export type {
  Committed,
  ConnectOptions,
  LargeObject,
  LostObject,
  ObjectList,
  OtherSide,
  Peer,
  PeerInfo,
  PeerSession,
  RecordDifference,
  RecordDocument,
  RecordSet,
  SinkThreads,
  Source,
  Target,
  WalkedDirectory,
} from "./peer/peer.ts";
export * from "./peer/remote_peer.ts";
export * from "./peer/store_peer.ts";
export * from "./transport.ts";
