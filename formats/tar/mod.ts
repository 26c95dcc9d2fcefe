/**
 * Tar archives: ustar, pax and what GNU tar writes are read, pax is written.
 *
 * @module
 */
export type { ByteSink } from "../byte_sink.ts";
export { ArchiveSyntaxError, ExportError, ImportError } from "../errors.ts";
export type { ImportOptions, ImportResult } from "../import_snapshot.ts";
export * from "../compress/compressed_sink.ts";
export * from "./export_tar.ts";
export * from "./import_tar.ts";
