/**
 * Image layouts of OCI: an image becomes a snapshot, a snapshot an image, or a
 * layer over another.
 *
 * ```ts
 * import { exportOci, importOci, openLayoutFolder } from "@snap/formats/oci";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { saveEntries } from "@snap/save/entries";
 * import { openSnapshots } from "@snap/snapshot";
 * import { initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { strictEqual } from "node:assert/strict";
 * import { mkdtempSync, rmSync } from "node:fs";
 *
 * const folder = mkdtempSync("/tmp/snap-oci-");
 * const store = new MemoryStore();
 * await initStore(store);
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * const { record } = await saveEntries(snapshots, [
 *   { path: "src/mod.ts", content: "export {};" },
 * ], { source: "build" });
 * await exportOci(snapshots, record, `${folder}/image`);
 * const layout = openLayoutFolder(`${folder}/image`);
 * const imported = await importOci(snapshots, layout);
 * strictEqual(imported.id, record.tree);
 * await snapshots.close();
 * rmSync(folder, { recursive: true });
 * ```
 *
 * @module
 */
export { ArchiveSyntaxError, ExportError, ImportError } from "../errors.ts";
export { type ArchiveLayout, archiveLayout } from "./archive_layout.ts";
export * from "./bucket_layout.ts";
export * from "./export_oci.ts";
export * from "./import_oci.ts";
export type { LayoutFiles } from "./layout.ts";
export {
  type ArchiveRanges,
  openLayoutArchive,
  openLayoutFolder,
} from "./layout_files.ts";
export type {
  ExportedLayer,
  LayoutTarget,
  MakeLayer,
} from "./layout_target.ts";
