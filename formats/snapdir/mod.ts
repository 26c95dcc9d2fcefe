/**
 * Manifests, ids and stores of snapdir.
 *
 * ```ts
 * import { exportSnapdir, importSnapdir, onlyManifest, openFolderFiles } from "@snap/formats/snapdir";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { saveEntries } from "@snap/save/entries";
 * import { openSnapshots } from "@snap/snapshot";
 * import { initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { strictEqual } from "node:assert/strict";
 * import { mkdtempSync, rmSync } from "node:fs";
 *
 * const folder = mkdtempSync("/tmp/snap-snapdir-");
 * const store = new MemoryStore();
 * await initStore(store);
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * const { record } = await saveEntries(snapshots, [
 *   { path: "src/mod.ts", content: "export {};" },
 * ], { source: "build" });
 * const files = await openFolderFiles(`${folder}/pool`);
 * const reader = await snapshots.reader();
 * await exportSnapdir(reader, record, files, { hasher: wasmHasher });
 * const manifest = await onlyManifest(files);
 * const imported = await importSnapdir(snapshots, files, manifest);
 * strictEqual(imported.id, record.tree);
 * await snapshots.close();
 * rmSync(folder, { recursive: true });
 * ```
 *
 * @module
 */
export { ExportError, ImportError } from "../errors.ts";
export * from "./errors.ts";
export * from "./export_snapdir.ts";
export * from "./far_files.ts";
export * from "./folder_files.ts";
export * from "./import_snapdir.ts";
export * from "./manifest_text.ts";
export type { LeftOut, ManifestOptions } from "./manifest_walk.ts";
export type { FileContent, SnapdirFiles } from "./snapdir_files.ts";
/** @internal */
export { MANIFESTS, OBJECTS } from "./snapdir_files.ts";
