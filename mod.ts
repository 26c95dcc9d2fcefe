/**
 * The front door for readers: every package as a namespace. Programs import the
 * packages, or better single entry points of them, so that they load no more
 * than they use; nothing in this repository imports this module.
 *
 * ```ts
 * import { hash } from "./mod.ts";
 *
 * console.assert(hash.isId("0f".repeat(32)));
 * ```
 *
 * @module
 */

/** Bytes to ids, content to chunks. */
export * as hash from "@snap/hash";
/** Calls that the runtimes lack or make differently. */
export * as posix from "@snap/posix";
/** Rows of trees and attribute pages. */
export * as manifest from "@snap/manifest";
/** Names and bytes. */
export * as store from "@snap/store";
/** Objects to packs, and back. */
export * as pack from "@snap/pack";
/** Directories of the operating system, read and written. */
export * as disk from "@snap/disk";
/** Records and names of snapshots; a snapshot as something to look up, read and check. */
export * as snapshot from "@snap/snapshot";
/** A directory becomes a snapshot. */
export * as save from "@snap/save";
/** A snapshot becomes a directory. */
export * as restore from "@snap/restore";
/** Snapshots from store to store. */
export * as sync from "@snap/sync";
/** What is kept, what is removed, what is mended. */
export * as maintenance from "@snap/maintenance";
/** Snapshots as archives of other programs, and back. */
export * as formats from "@snap/formats";
export * as workspace from "@snap/workspace";
/** A server of the Model Context Protocol. */
export * as mcp from "@snap/mcp";
/** A snapshot as a read-only file system of the kernel. */
export * as fuse from "@snap/fuse";
/** The command line as a function. */
export * as cli from "@snap/cli";
