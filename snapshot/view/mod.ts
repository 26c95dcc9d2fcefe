/**
 * A snapshot as something to look up and read.
 *
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { saveEntries } from "@snap/save/entries";
 * import { openSnapshots } from "@snap/snapshot";
 * import { View } from "@snap/snapshot/view";
 * import { initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { strictEqual } from "node:assert/strict";
 *
 * const store = new MemoryStore();
 * await initStore(store);
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * const { record } = await saveEntries(snapshots, [
 *   { path: "src/mod.ts", content: "export {};" },
 * ], { source: "build" });
 * const view = await View.open(snapshots, record);
 * const entry = await view.lookup("src/mod.ts");
 * strictEqual(new TextDecoder().decode(await view.read(entry!)), "export {};");
 * await snapshots.close();
 * ```
 *
 * @module
 */
export * from "./entry_response.ts";
export * from "./view.ts";
export * from "./view_entry.ts";
/** @internal */
export { rowFields } from "./row_fields.ts";
