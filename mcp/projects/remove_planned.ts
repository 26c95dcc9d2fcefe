import type { DiskError } from "@snap/disk";
import type { Target } from "@snap/disk/target";
import type { Change } from "@snap/manifest/diff";
import { EntryKind } from "@snap/manifest/extras";
import { Pacer } from "@snap/posix/pacer";
import { StatTable } from "@snap/posix/stat-table";
import { isAsSaved, kindOf, placeOf } from "./restore_plan.ts";

/** What a removal has done. */
export interface Removal {
  readonly removedCount: number;
  /** Directories that stay, as they hold what is in no snapshot; or what changed at the last moment. */
  readonly keptCount: number;
  readonly errors: readonly DiskError[];
}

/**
 * Removes what a snapshot does not have. Only what the snapshot of before holds goes: a directory
 * that has anything else in it stays, with that.
 *
 * @param target The directory.
 * @param changes What is going to change, in the order of a walk.
 * @returns What was done.
 */
export async function removePlanned(
  target: Target,
  changes: readonly Change[],
  { signal }: { readonly signal: AbortSignal },
): Promise<Removal> {
  const pacer = new Pacer({ signal });
  const errors: DiskError[] = [];
  let removedCount = 0, keptCount = 0;
  // What is in a directory comes behind it, and has to go first.
  for (const change of changes.toReversed()) {
    if (change.kind !== "removed") continue;
    signal.throwIfAborted();
    try {
      const outcome = await remove(target, change, pacer);
      if (outcome === "removed") removedCount++;
      else if (outcome === "kept") keptCount++;
    } catch (error) {
      if (!(error instanceof Error && error.name === "DiskError")) throw error;
      errors.push(error as DiskError);
    }
    const turn = pacer.yield();
    if (turn !== undefined) await turn;
  }
  return { removedCount, keptCount, errors };
}

async function remove(
  target: Target,
  { path, before }: Change,
  pacer: Pacer,
): Promise<"removed" | "kept" | "absent"> {
  const [directory, name] = placeOf(target, path) ?? [];
  if (directory === undefined) return "absent";
  const stats = new StatTable(1);
  if (!target.stat(directory, name, stats, 0)) return "absent";
  if (!isAsSaved(stats, before!)) return "kept";
  if (kindOf(before!) === EntryKind.directory) {
    const listed = await pacer.run(target.list(target.directoryAt(path)));
    if (listed.count > 0) return "kept";
  }
  target.removeTree(directory, name!);
  return "removed";
}
