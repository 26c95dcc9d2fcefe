/**
 * Snapshots: a directory saved under one verified name, read, compared, checked
 * and brought back.
 *
 * ```ts
 * import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
 * import { wasmHasher } from "@snap/hash";
 * import { MemoryStore, initStore } from "@snap/store";
 * import { openSnapshots, save, View } from "@snap/snapshot";
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
 * const view = await View.open(snapshots, record!);
 * const entry = await view.lookup(new TextEncoder().encode("hello"));
 * strictEqual(new TextDecoder().decode(await view.read(entry!)), "hello");
 * await snapshots[Symbol.asyncDispose]();
 * rmSync(folder, { recursive: true });
 * ```
 *
 * The workers of the engine, `@snap/snapshot/save-worker` and
 * `@snap/snapshot/restore-worker`, are entry
 * points so that they can be started from wherever the package lies.
 *
 * @module
 */
export * from "./claim_table.ts";
export * from "./damage.ts";
export * from "./diff.ts";
export * from "./find.ts";
export * from "./glob.ts";
export * from "./identify.ts";
export * from "./manifest_text.ts";
export * from "./record.ts";
export * from "./records.ts";
export * from "./repair_index.ts";
export * from "./resolve_snapshot.ts";
export * from "./restore.ts";
export * from "./restore_errors.ts";
export * from "./restore_progress.ts";
export * from "./save.ts";
export * from "./save_progress.ts";
export * from "./settings.ts";
export * from "./snapshots.ts";
export * from "./tags.ts";
export * from "./verify.ts";
export * from "./verify_progress.ts";
export * from "./view.ts";
export * from "./view_entry.ts";
