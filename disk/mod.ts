/**
 * Directories of the operating system, read and written.
 *
 * A {@linkcode Source} is walked and its files are read by a {@linkcode FileReader}; a
 * {@linkcode Target} is written, and nothing outside of it. Names are bytes, and what the
 * operating system says of entries stands in tables of numbers.
 *
 * ```ts
 * import { DiskError } from "@snap/disk";
 * import { FileReader } from "@snap/disk/file";
 * import { openSource } from "@snap/disk/source";
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
 * The parts have entry points of their own:
 *
 * - `@snap/disk/file`: one file as it is read
 * - `@snap/disk/ignore`: rules of what is left out: `.snapignore`, patterns, cache directories
 * - `@snap/disk/source`: a directory as it is read: walked, listed, described
 * - `@snap/disk/target`: a directory as it is written, never left
 * - `@snap/disk/watch`: changes of a directory, as the kernel tells of them
 *
 * @module
 */
export * from "./disk_calls.ts";
export { DiskError } from "./disk_error.ts";
export {
  type PutObject,
  type XattrProblem,
  Xattrs,
  type XattrValue,
} from "./xattrs.ts";
/** @internal */
export { diskCalls } from "./best_calls.ts";
/** @internal */
export { ExhaustedError } from "./disk_error.ts";
/** @internal */
export { nodeCalls } from "./node_calls.ts";
/** @internal */
export { localOwners } from "./owners.ts";
/** @internal */
export { terminated } from "./read_whole_file.ts";
