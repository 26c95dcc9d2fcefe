/**
 * Which store a command uses that was not told.
 *
 * @module
 */
import type { Stats } from "node:fs";
import { saysAbsent } from "./file_calls.ts";
import { storeFailure } from "./store_failure.ts";
import { StoreError } from "../errors.ts";

/** Name of the folder that is looked for. */
export const STORE_FOLDER = ".snap";

/** Ways to find a store. */
export type StoreSource = "option" | "environment" | "directory" | "home";

/** Options of {@link findStore}. */
export interface FindStoreOptions {
  /** The store that the caller asked for, a path or anything else. It is taken as it is. */
  readonly explicit?: string;
  /** The environment: `SNAP_STORE`, `XDG_DATA_HOME`, `HOME`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where to begin to look, an absolute path. */
  readonly cwd: string;
  /** User id of the caller, who must own a `.snap` that is used. Absent where there are none. */
  readonly uid?: number;
}

/** A `.snap` that was seen and not used. */
export interface PassedStore {
  /** Its path. */
  readonly path: string;
  /** Why: it has no config, another owner, or is a mount point or a link. */
  readonly reason:
    | "no config"
    | "other owner"
    | "other file system"
    | "no folder";
}

/** Result of {@link findStore}. */
export interface FoundStore {
  /** The path of the store, or whatever was asked for. Nothing need be there yet. */
  readonly path: string;
  /** How it was found. */
  readonly source: StoreSource;
  /** Folders passed on the way that look like a store, for a word to the user. */
  readonly passed: readonly PassedStore[];
}

/**
 * Finds the store: the one asked for, else `SNAP_STORE`, else the nearest
 * `.snap` above that holds a store of the caller on the same file system, else
 * the one of the user, `XDG_DATA_HOME/snap/store`.
 *
 * The walk up ends at a mount point, and takes nobody else's `.snap`: in a
 * shared temporary folder it would receive what others save.
 *
 * @example What is asked for wins
 * ```ts
 * import { findStore } from "@snap/store/file";
 * import { strictEqual } from "node:assert/strict";
 *
 * const env = { SNAP_STORE: "/srv/a" };
 * strictEqual((await findStore({ explicit: "/srv/b", env, cwd: "/" })).path, "/srv/b");
 * strictEqual((await findStore({ env, cwd: "/" })).source, "environment");
 * ```
 *
 * @param options What to go by.
 * @returns The store and how it was found.
 * @throws {StoreError} If a folder on the way cannot be looked at, or nothing says where the user's store is.
 */
export async function findStore(
  options: FindStoreOptions,
): Promise<FoundStore> {
  const { explicit, env, cwd } = options;
  const passed: PassedStore[] = [];
  if (explicit !== undefined) {
    return { path: explicit, source: "option", passed };
  }
  if (env.SNAP_STORE) {
    return { path: env.SNAP_STORE, source: "environment", passed };
  }
  const path = await findAbove(cwd, options.uid, passed);
  if (path !== undefined) return { path, source: "directory", passed };
  return { path: homeStore(env), source: "home", passed };
}

async function findAbove(
  cwd: string,
  uid: number | undefined,
  passed: PassedStore[],
): Promise<string | undefined> {
  const [{ lstat, stat }, { join, dirname }] = await Promise.all([
    import("node:fs/promises"),
    import("node:path"),
  ]);
  let folder = cwd;
  const reasonAgainst = async (path: string, found: Stats, dev: number) => {
    if (!found.isDirectory()) return "no folder";
    if (uid !== undefined && found.uid !== uid) return "other owner";
    if (found.dev !== dev) return "other file system";
    const config = await orAbsent(stat(join(path, "config", "1")));
    return config?.isFile() ? undefined : "no config";
  };
  try {
    const { dev } = await stat(cwd);
    while ((await stat(folder)).dev === dev) {
      const path = join(folder, STORE_FOLDER);
      const found = await orAbsent(lstat(path));
      if (found !== undefined) {
        const reason = await reasonAgainst(path, found, dev);
        if (reason === undefined) return path;
        passed.push({ path, reason });
      }
      if (dirname(folder) === folder) break;
      folder = dirname(folder);
    }
    return undefined;
  } catch (error) {
    throw storeFailure("find", { path: folder }, error);
  }
}

/** Undefined for what is absent, and only for that. */
async function orAbsent<T>(stat: Promise<T>): Promise<T | undefined> {
  try {
    return await stat;
  } catch (error) {
    if (saysAbsent(error)) return undefined;
    throw error;
  }
}

function homeStore(env: FindStoreOptions["env"]): string {
  // The XDG specification has a relative path ignored.
  if (env.XDG_DATA_HOME?.startsWith("/")) {
    return `${env.XDG_DATA_HOME}/snap/store`;
  }
  if (env.HOME) return `${env.HOME}/.local/share/snap/store`;
  throw new StoreError(
    "Cannot find a store: neither SNAP_STORE nor HOME is set",
    {
      code: "ENOENT",
      action: "find",
    },
  );
}
