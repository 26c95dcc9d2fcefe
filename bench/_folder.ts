import { sizeOfTree, type TreeSize } from "./_tree_size.ts";
import { TREES } from "./_trees.ts";

/** Where stores and restored trees lie: a disk would be measured, too. */
const MEMORY = "/dev/shm";

/** Memory that has to stay free for programs, in bytes. */
const SPARE_BYTES = 4 * 2 ** 30;

/** What nobody has to ask for. */
const FEW_BYTES = 64 * 2 ** 20;

/**
 * Makes a folder in memory for as long as something runs.
 *
 * @param run What runs; given the path of the folder.
 * @returns What it returns.
 */
export async function withFolder<T>(
  run: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await Deno.makeTempDir({ dir: MEMORY, prefix: "snap-bench-" });
  const clean = () => {
    Deno.removeSync(folder, { recursive: true }); // Nothing else would free the memory.
    Deno.exit(1);
  };
  for (const name of SIGNALS) Deno.addSignalListener(name, clean);
  try {
    return await run(folder);
  } finally {
    for (const name of SIGNALS) Deno.removeSignalListener(name, clean);
    await removeTree(folder);
  }
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** A tree that is measured. */
export interface BenchTree extends TreeSize {
  /** How tables call it: not by its path. */
  readonly title: string;
  /** Where it is. */
  readonly path: string;
  /** Whether it was made here, and may be changed. */
  readonly isMade: boolean;
}

/**
 * Makes the tree that is asked for, or looks at the one that is there.
 *
 * @param name The name of a made tree, or a path.
 * @param folder Where it is made.
 * @param size Whether it is made to be measured, or only to see that all runs.
 * @returns The tree.
 */
export async function prepareTree(
  name: string,
  folder: string,
  size: "full" | "small",
): Promise<BenchTree> {
  const make = TREES[name];
  const path = make ? `${folder}/tree` : await Deno.realPath(name);
  await make?.(path, size);
  return {
    title: make ? name : "a folder of this machine",
    path,
    isMade: make !== undefined,
    ...await sizeOfTree(path),
  };
}

/** Whether so many bytes can be written to memory; there is always room for a few. */
export function hasRoom(bytes: number): boolean {
  return bytes < FEW_BYTES ||
    Deno.systemMemoryInfo().available > bytes + SPARE_BYTES;
}

/** Removes a folder with all that is in it, if it is there. */
export async function removeTree(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
