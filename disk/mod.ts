/**
 * Directories of the operating system, read and written.
 *
 * A {@linkcode Source} is walked and its files are read by a {@linkcode FileReader}; a
 * {@linkcode Target} is written, and nothing outside of it. Names are bytes, and what the
 * operating system says of entries stands in tables of numbers.
 *
 * ```ts
 * import { DiskError, FileReader, openSource } from "@snap/disk";
 *
 * const source = openSource("/etc");
 * const reader = new FileReader(source.path);
 * const directory = source.root();
 * const out = new Uint8Array(65536);
 * for (let i = 0; i < directory.count; i++) {
 *   if (!directory.isFile(i)) continue;
 *   try {
 *     reader.open(directory.path, directory.name(i), directory.stats.uid(i));
 *     const size = reader.read(out, 0);
 *     console.assert(size <= directory.stats.size(i) || !reader.isUnchanged(directory.stats, i));
 *   } catch (error) {
 *     if (!(error instanceof DiskError)) throw error;
 *     console.log(error.message);
 *   }
 * }
 * reader[Symbol.dispose]();
 * source[Symbol.dispose]();
 * ```
 *
 * @module
 */
export * from "./disk_calls.ts";
export * from "./disk_error.ts";
export * from "./ignore_rules.ts";
export * from "./node_calls.ts";
export * from "./open_target.ts";
export * from "./owners.ts";
export * from "./source.ts";
export * from "./source_directory.ts";
export * from "./source_file.ts";
export * from "./target.ts";
export * from "./target_attributes.ts";
export { type TargetDirectory } from "./target_directories.ts";
export * from "./target_entries.ts";
export { type CreateFileOptions, TargetFile } from "./target_file.ts";
export * from "./xattrs.ts";
