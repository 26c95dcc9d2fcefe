/**
 * Check of a store: all that it holds against all that it claims.
 *
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { saveEntries } from "@snap/save/entries";
 * import { openSnapshots } from "@snap/snapshot";
 * import { verify } from "@snap/snapshot/verify";
 * import { initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { strictEqual } from "node:assert/strict";
 *
 * const store = new MemoryStore();
 * await initStore(store);
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * await saveEntries(snapshots, [
 *   { path: "src/mod.ts", content: "export {};" },
 * ], { source: "build" });
 * const report = await verify(snapshots, { data: true });
 * strictEqual(report.damageCount, 0);
 * await snapshots.close();
 * ```
 *
 * @module
 */
export * from "./damage.ts";
export type { PackFile } from "./pack.ts";
export * from "./verify.ts";
export type * from "./verify_options.ts";
export * from "./verify_progress.ts";
/** @internal */
export {
  type CheckedIndex,
  IndexCheck,
  type IndexCheckParts,
} from "./index.ts";
/** @internal */
export { type PackPart, packsOfPart } from "./pack_part.ts";
