import { installOnNode } from "./_on_node.ts";

/** What is measured of a program: shell commands over `$TREE`, `$STORE`, `$TARGET` and, for restore, `$ID`. */
export interface Program {
  /** The name in tables. */
  readonly name: string;
  /** Whether it stores snapshots, or shows what the machine can do at best. */
  readonly kind: "ours" | "peer" | "floor";
  /** Prints the version, and fails where the program is not installed. */
  readonly version: string;
  /** Prints JSON lines that say what ran, and what its store is like; run after a save. */
  readonly about?: string;
  /** What `about` has to say, or the figures would be of something else. */
  readonly expected?: Readonly<Record<string, string>>;
  /** Makes a new store; not measured. */
  readonly init?: string;
  /** Saves `$TREE`. */
  readonly save?: string;
  /** Saves `$TREE` again, when little or nothing has changed. */
  readonly again?: string;
  /** Restores what was saved first into the new folder `$TARGET`. */
  readonly restore?: string;
  /** Fails where `$TARGET` is not what was saved. Default: it is compared with `$TREE`. */
  readonly compare?: string;
}

/** How hard everybody compresses. */
export type Level = "default" | "1";

const ROOT = new URL("..", import.meta.url).pathname;
const CLI = `${ROOT}cli/main.ts`;
const WASM_ONLY = new URL("./_wasm_only.ts", import.meta.url).pathname;
const WALK = new URL("./_walk.ts", import.meta.url).pathname;

/** Variables that make the programs keep to the bench's folder and ask nothing. */
export function environmentOf(folder: string): Record<string, string> {
  return {
    SNAP: `deno run -A ${CLI}`,
    SNAP_WASM: `deno run -A --preload ${WASM_ONLY} ${CLI}`,
    WALK: `deno run -A ${WALK}`,
    RESTIC_PASSWORD: "bench",
    RESTIC_CACHE_DIR: `${folder}/cache`,
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
  const borg = level === "1" ? "zstd,1" : "lz4";
  return [{
    ...ours("snap", "$SNAP", level),
    expected: { hasher: "native", files: "posix" },
  }, {
    name: "restic",
    kind: "peer",
    version: "restic version",
    init: `restic -q -r "$STORE" init`,
    save: `cd "$TREE" && restic -q -r "$STORE" backup --tag first .`,
    again: `cd "$TREE" && restic -q -r "$STORE" backup .`,
    restore:
      `restic -q -r "$STORE" restore latest --tag first --target "$TARGET"`,
  }, {
    name: "borg",
    kind: "peer",
    version: "borg --version",
    init: `borg init -e none "$STORE"`,
    save: `cd "$TREE" && borg create -C ${borg} "$STORE::first" .`,
    again: `cd "$TREE" && borg create -C ${borg} "$STORE::$RANDOM$RANDOM" .`,
    restore: `mkdir "$TARGET" && cd "$TARGET" && borg extract "$STORE::first"`,
  }, {
    name: "casync",
    kind: "peer",
    version: "casync --version",
    init: `mkdir -p "$STORE" "$CASYNC_CACHE"`,
    save:
      `casync make --cache="$CASYNC_CACHE" --store="$STORE/default.castr" "$STORE/first.caidx" "$TREE"`,
    again:
      `casync make --cache="$CASYNC_CACHE" --store="$STORE/default.castr" "$STORE/again.caidx" "$TREE"`,
    restore:
      `casync extract --store="$STORE/default.castr" "$STORE/first.caidx" "$TARGET"`,
  }, {
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
  }, {
    name: "cp",
    kind: "floor",
    version: "cp --version",
    init: `mkdir "$STORE"`,
    save: `cp -a "$TREE" "$STORE/first"`,
    again: `cp -au "$TREE/." "$STORE/first"`,
    restore: `cp -a "$STORE/first" "$TARGET"`,
  }, {
    name: "bare walk",
    kind: "floor",
    version: "deno --version",
    again: `$WALK "$TREE"`,
  }];
}
