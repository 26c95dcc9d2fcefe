import { denoFolder } from "../tests/_run.ts";
import { installOnNode } from "./_on_node.ts";
import { peers } from "./_peers.ts";
import type { Level, Program } from "./_program.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const CLI = `${ROOT}cli/main.ts`;
const WASM_ONLY = new URL("./_wasm_only.ts", import.meta.url).pathname;
const WALK = new URL("./_walk.ts", import.meta.url).pathname;

/**
 * Returns variables that make the programs keep to the bench's folder and ask nothing.
 *
 * @param folder The folder of the bench.
 * @param main The module of our program. Default: its source.
 * @returns The variables.
 */
export function environmentOf(
  folder: string,
  main: string = CLI,
): Record<string, string> {
  return {
    SNAP: `deno run -A ${main}`,
    SNAP_WASM: `deno run -A --preload ${WASM_ONLY} ${main}`,
    WALK: `deno run -A ${WALK}`,
    DENO_DIR: denoFolder(), // Modules and compiled code are kept between runs.
    RESTIC_PASSWORD: "bench",
    RESTIC_FROM_PASSWORD: "bench",
    RESTIC_CACHE_DIR: `${folder}/cache`,
    RUSTIC_PASSWORD: "bench",
    KOPIA_PASSWORD: "bench",
    KOPIA_CHECK_FOR_UPDATES: "false",
    SNAPDIR_CACHE_DIR: `${folder}/cache/snapdir`,
    CASYNC_CACHE: `${folder}/cache/casync`,
    BORG_BASE_DIR: `${folder}/cache`,
    BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: "yes",
    TREE: `${folder}/tree`,
    STORE: `${folder}/store`,
    TARGET: `${folder}/target`,
    CACHE: `${folder}/cache`,
    XDG_CACHE_HOME: `${folder}/cache`,
  };
}

/**
 * Our program.
 *
 * @param name The name in tables.
 * @param snap What starts it.
 * @param level The level of compression.
 * @param store The address of its store.
 * @returns All that is measured of it.
 */
export function ours(
  name: string,
  snap: string,
  level: Level,
  store = "$STORE",
): Program {
  const codec = level === "1" ? " --codec zstd:1" : "";
  const at = `--store "${store}"`;
  return {
    name,
    kind: "ours",
    version: `${snap} --version`,
    about: `${snap} version --json && ${snap} stats ${at} --json`,
    init: `${snap} init ${at}${codec}`,
    save: `${snap} save ${at} "$TREE"`,
    again: `${snap} save ${at} "$TREE"`,
    restore: `${snap} restore ${at} $ID "$TARGET"`,
  };
}

/**
 * Returns what our program can do at least: without native hashing, and from the npm packages on
 * Node, whole and without each of their native parts.
 *
 * @param level The level of compression.
 * @param folder Where the packages are installed.
 * @returns The programs; those on Node have no version where they cannot be installed.
 */
export async function floors(
  level: Level,
  folder: string,
): Promise<Program[]> {
  const onNode = await installOnNode(folder);
  const on = (
    what: string,
    snap: string | undefined,
    hasher: string,
    files: string,
  ) => ({
    ...ours(`snap on Node${what}`, snap ?? "false", level),
    expected: { hasher, files },
  });
  return [
    {
      ...ours("snap, WASM hashing", "$SNAP_WASM", level),
      expected: { hasher: "wasm", files: "posix" },
    },
    on("", onNode?.whole, "native", "posix"),
    on(" without native hash", onNode?.withoutHash, "wasm", "posix"),
    on(" without koffi", onNode?.withoutKoffi, "native", "node:fs"),
  ];
}

/** Returns all programs, at one level of compression where they have a choice. */
export function programs(level: Level): Program[] {
  return [
    {
      ...ours("snap", "$SNAP", level),
      expected: { hasher: "native", files: "posix" },
    },
    ...peers(level),
    {
      name: "tar",
      kind: "floor",
      version:
        `echo "$(tar --version | grep -om1 '[0-9.]*$') with zstd $(zstd --version | grep -o 'v[0-9.]*')"`,
      init: `mkdir "$STORE"`,
      save: `tar -C "$TREE" -cf - . | zstd -q -1 -T2 -o "$STORE/first.tar.zst"`,
      again:
        `tar -C "$TREE" -cf - . | zstd -q -1 -T2 -f -o "$STORE/first.tar.zst"`,
      restore:
        `mkdir "$TARGET" && zstd -q -dc "$STORE/first.tar.zst" | tar -C "$TARGET" -xf -`,
    },
    {
      name: "cp",
      kind: "floor",
      version: "cp --version",
      init: `mkdir "$STORE"`,
      save: `cp -a "$TREE" "$STORE/first"`,
      again: `cp -au "$TREE/." "$STORE/first"`,
      restore: `cp -a "$STORE/first" "$TARGET"`,
    },
    {
      name: "bare walk",
      kind: "floor",
      version: "deno --version",
      again: `$WALK "$TREE"`,
    },
  ];
}
