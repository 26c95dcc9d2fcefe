import { AT_FDCWD, errnoName } from "@snap/posix/constants";
import { StatTable } from "@snap/posix/stat-table";
import { diskCalls } from "../best_calls.ts";
import type { DiskCalls } from "../disk_calls.ts";
import { DiskError } from "../disk_error.ts";
import { type FileIdentity, identityOf } from "../file_identity.ts";
import { IgnoreRules } from "../ignore/ignore_rules.ts";
import { SourceDirectory } from "./source_directory.ts";
import { terminated } from "../read_whole_file.ts";
import {
  type OnDirectory,
  type SourceDrops,
  SourceWalk,
} from "./source_walk.ts";

/** Options of walking a directory. */
export interface SourceOptions {
  /** Rules for entries to leave out. If absent, `.snapignore` files count. */
  readonly ignore?: IgnoreRules;
  /** Keeps directories of other file systems, and nothing in them. */
  readonly oneFileSystem?: boolean;
  /** The store that is saved into: it is left out, under whatever path it is met. */
  readonly excludeStore?: FileIdentity;
  /** Told the path of each socket; sockets are left out. */
  readonly onSocket?: (path: Uint8Array) => void;
  /** Told of each directory once it is open, before its names are read. */
  readonly onDirectory?: OnDirectory;
  /** The back end; the best there is if absent. */
  readonly calls?: DiskCalls;
}

/** A directory to be saved. */
export interface Source extends Disposable {
  /** `reduced` without native calls: times in milliseconds, no attributes, names in UTF-8 only. */
  readonly fidelity: "full" | "reduced";
  /** The path as given. */
  readonly path: Uint8Array;
  /** Entries left out so far. */
  readonly drops: SourceDrops;
  /** The first 10,000 of what could not be read so far; the caller may take lines out. */
  readonly errors: DiskError[];
  /** How much could not be read so far. */
  readonly errorCount: number;
  /**
   * Opens the directory itself.
   *
   * @returns The directory; the caller closes it.
   * @throws {DiskError} If it cannot be opened.
   */
  root(): SourceDirectory;
  /**
   * Opens the directory itself, to be listed in steps. Nothing is listed yet.
   *
   * @returns The directory; the caller closes it.
   * @throws {DiskError} If it cannot be opened.
   */
  open(): SourceDirectory;
}

/**
 * A directory to be saved. Nothing is opened yet.
 *
 * @param root Its path; a symbolic link to a directory is followed.
 * @param options What is left out.
 *
 * @example
 * ```ts
 * import { DiskError } from "@snap/disk";
 * import { openSource } from "@snap/disk/source";
 * import { type SourceDirectory } from "@snap/disk/source";
 *
 * function count(directory: SourceDirectory): number {
 *   let total = directory.count;
 *   for (let i = 0; i < directory.count; i++) {
 *     if (!directory.isDirectory(i)) continue;
 *     const child = directory.child(i);
 *     if (!(child instanceof DiskError)) total += count(child);
 *   }
 *   directory.close();
 *   return total;
 * }
 *
 * const source = openSource(".");
 * console.assert(count(source.root()) > 0);
 * source[Symbol.dispose]();
 * ```
 */
export function openSource(
  root: string | Uint8Array,
  options: SourceOptions = {},
): Source {
  const path = typeof root === "string"
    ? new TextEncoder().encode(root)
    : root.slice();
  const walk = new SourceWalk({
    calls: options.calls ?? diskCalls(),
    path,
    ignore: options.ignore ?? new IgnoreRules(),
    oneFileSystem: options.oneFileSystem ?? false,
    excludeStore: options.excludeStore,
    onSocket: options.onSocket,
    onDirectory: options.onDirectory,
  });
  return {
    fidelity: walk.calls.reduced ? "reduced" : "full",
    path,
    drops: walk.drops,
    errors: walk.errors,
    get errorCount(): number {
      return walk.errorCount;
    },
    root: () => SourceDirectory.openRoot(walk, "whole"),
    open: () => SourceDirectory.openRoot(walk, "steps"),
    [Symbol.dispose]: () => walk.closeAll(),
  };
}

/**
 * Names the file or directory at a path, so that a walk can leave it out.
 *
 * @param path Its path; symbolic links are followed.
 * @param calls The back end; the best there is if absent.
 * @returns The identity, or nothing when there is no such path.
 * @throws {DiskError} If the path cannot be looked at.
 */
export function identifyPath(
  path: string | Uint8Array,
  calls: DiskCalls = diskCalls(),
): FileIdentity | undefined {
  const name = terminated(path);
  const table = new StatTable(1);
  const result = calls.statAt(AT_FDCWD, name, 0, table, 0);
  if (result === 0) return identityOf(table, 0);
  const code = errnoName(-result);
  if (code === "ENOENT") return undefined;
  throw new DiskError("stat", name.subarray(0, name.length - 1), code);
}
