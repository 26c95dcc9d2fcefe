/**
 * Files that belong to a running save: who owns what lies in the folder for
 * temporary files of a store, and how that is removed once its owner is gone.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
export { adoptFile, spoolPathOf } from "../adopt_file.ts";
export * from "./remove_quietly.ts";
export * from "./spool.ts";
