/**
 * Image layouts of OCI: an image becomes a snapshot, a snapshot an image, or a
 * layer over another.
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
