/**
 * Snapshots: a directory saved under one verified name, read, compared, checked
 * and brought back.
 *
 * ```ts
 * import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { MemoryStore } from "@snap/store/memory";
 * import { initStore } from "@snap/store/format";
 * import { openSnapshots } from "@snap/snapshot";
 * import { save } from "@snap/save";
 * import { View } from "@snap/snapshot/view";
 * import { strictEqual } from "node:assert/strict";
 *
 * const folder = mkdtempSync("/tmp/snap-example-");
 * writeFileSync(`${folder}/hello`, "hello");
 *
 * const store = new MemoryStore();
 * await initStore(store, {});
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * const { record } = await save(snapshots, folder);
 *
 * const view = await View.open(snapshots, record);
 * const entry = await view.lookup(new TextEncoder().encode("hello"));
 * strictEqual(new TextDecoder().decode(await view.read(entry!)), "hello");
 * await snapshots[Symbol.asyncDispose]();
 * rmSync(folder, { recursive: true });
 * ```
 *
 * The parts have entry points of their own:
 *
 * - `@snap/snapshot/query`: snapshots compared, searched and listed
 * - `@snap/snapshot/records`: records of snapshots, the names that people give for them, and tags
 * - `@snap/snapshot/verify`: what a store holds, checked against what it says
 * - `@snap/snapshot/view`: a snapshot as something to look up and read
 *
 * @module
 */
export type { ChangedEntry, EntryChange } from "./query/entry_changes.ts";
export {
  DEFAULT_SETTINGS,
  formatSettings,
  parseSettings,
  type StoreSettings,
} from "./settings.ts";
export * from "./snapshots.ts";
/** @internal */
export { checkRecord, checkSnapshots, checkView } from "./check_snapshots.ts";
/** @internal */
export { FRAME_SIZE_MAX } from "./settings.ts";
