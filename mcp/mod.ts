/**
 * A server of the Model Context Protocol: an agent saves, compares and restores
 * directories, and never leaves them.
 *
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { serveMcp } from "@snap/mcp";
 * import { openSnapshots } from "@snap/snapshot";
 * import { openFileStore } from "@snap/store/file";
 *
 * async function serve(root: string, signal: AbortSignal): Promise<void> {
 *   await serveMcp({
 *     open: async () => {
 *       const store = await openFileStore("/srv/snaps");
 *       const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 *       return {
 *         snapshots,
 *         [Symbol.asyncDispose]: () => snapshots.close(),
 *       };
 *     },
 *     roots: [root],
 *     identity: { name: "mine", version: "1.0.0" },
 *     signal,
 *   });
 * }
 * ```
 *
 * @module
 */
export type { ServerIdentity } from "./make_server.ts";
export type { OpenedSnapshots } from "./opened_snapshots.ts";
export type { Root, Roots } from "./roots/roots.ts";
export * from "./serve_mcp.ts";
export type { ServiceOptions } from "./service.ts";
