/**
 * Manifests, ids and stores of snapdir.
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
