import { DiskError } from "@snap/disk";
import { type HeldDirectory, openTarget } from "@snap/disk/target";
import { EntryKind } from "@snap/manifest/extras";
import type { Change } from "@snap/manifest/diff";
import { displayPath } from "@snap/manifest/path";
import {
  type KnownDirectories,
  restore,
  type RestoreResult,
} from "@snap/restore";
import type { NamedRecord } from "@snap/snapshot/records";
import {
  type ObjectSource,
  type SideIds,
  snapshotSide,
} from "@snap/snapshot/query";
import { SAMPLE_MAX } from "../limits.ts";
import { ToolError } from "../tool_error.ts";
import { ChangedDirectories } from "./changed_directories.ts";
import type { Project } from "./project.ts";
import { type Removal, removePlanned } from "./remove_planned.ts";
import { type Conflict, findConflicts, planChanges } from "./restore_plan.ts";

const SLASH = 0x2f;

/** What a restore has done, or would do. */
export interface GuardedRestore {
  /** The snapshot of the directory as it was; absent in a dry run. */
  readonly before?: NamedRecord;
  /** What differs between that and the snapshot. */
  readonly changes: readonly Change[];
  /** What forbids the restore; only in a dry run. */
  readonly conflicts: readonly Conflict[];
  /** Absent in a dry run, and where nothing differs. */
  readonly done?: RestoreResult & Removal;
}

/** How a restore is done. */
export interface GuardedOptions {
  /** The part that is restored; empty for all. */
  readonly path: Uint8Array;
  /** Kind of that part in the snapshot. */
  readonly kind: EntryKind;
  /** Whether nothing is changed. */
  readonly isDry: boolean;
}

/**
 * Makes a directory what a snapshot says. The directory is saved first, and nothing is replaced or
 * removed that this save does not hold: so whatever goes can be had back. What is left out of
 * snapshots stays where it is.
 *
 * @param record The snapshot.
 * @param options Which part, and whether it is done.
 * @returns What was done.
 * @throws {ToolError} If something stands in the way that was not saved; then nothing is changed.
 */
export async function restoreGuarded(
  project: Project,
  record: NamedRecord,
  options: GuardedOptions,
): Promise<GuardedRestore> {
  const { snapshots } = project.store;
  const before = options.isDry
    ? await namedSide(project)
    : await savedSide(project, record);
  // What was saved just now is to be read.
  await snapshots.refresh();
  const { signal, roots } = project.call;
  const reader = await snapshots.reader();
  const changes = await planChanges(
    snapshotSide(before.objects ?? reader, before.ids),
    snapshotSide(reader, record),
    { path: options.path, signal },
  );
  const held = roots.hold(project.directory);
  try {
    const target = openTarget(held.path);
    try {
      const conflicts = await findConflicts(target, changes, { signal });
      if (options.isDry) return { changes, conflicts };
      if (conflicts.length > 0) throw conflictError(conflicts);
      const rest = { before: before.record, changes, conflicts };
      if (changes.length === 0) return rest;
      const removal = await removePlanned(target, changes, { signal });
      const known = new ChangedDirectories(changes, options.path);
      const result = await writeEntries(project, record, { ...options, known });
      const errors = [...removal.errors, ...result.errors];
      return { ...rest, done: { ...result, ...removal, errors } };
    } finally {
      target[Symbol.dispose]();
    }
  } catch (error) {
    throw before.record === undefined
      ? error
      : withBefore(error, before.record);
  } finally {
    held[Symbol.dispose]();
  }
}

/** A directory of the disk as a side of a comparison. */
interface DiskSide {
  /** What has its trees; absent for the store. */
  readonly objects?: ObjectSource;
  readonly ids: Required<SideIds>;
  /** The snapshot that it was saved as. */
  readonly record?: NamedRecord;
}

async function namedSide(project: Project): Promise<DiskSide> {
  const objects = await project.identify();
  return { objects, ids: { tree: objects.id, page: objects.page } };
}

async function savedSide(
  project: Project,
  { tree }: NamedRecord,
): Promise<DiskSide> {
  const message = `before restore of ${tree.slice(0, 12)}`;
  const { record } = await project.save(message);
  return { ids: record, record };
}

/** Writes what differs; nothing is removed. */
async function writeEntries(
  project: Project,
  record: NamedRecord,
  { path, kind, known }: GuardedOptions & { readonly known: KnownDirectories },
): Promise<RestoreResult> {
  const { call, directory, store, workers } = project;
  const isDirectory = kind === EntryKind.directory;
  // One file goes into the directory that has it, as no link there is then followed.
  const held = isDirectory
    ? holdOrMake(project, path)
    : call.roots.hold(directory, parentOf(path));
  try {
    return await restore(store.snapshots, record, held.path, {
      path,
      existing: true,
      known,
      workers,
      signal: call.signal,
      onProgress: (progress) => project.tell(progress),
    });
  } finally {
    held[Symbol.dispose]();
  }
}

function holdOrMake(
  { call: { roots }, directory }: Project,
  path: Uint8Array,
): HeldDirectory {
  try {
    return roots.hold(directory, path);
  } catch (error) {
    const isAbsent = error instanceof DiskError && error.code === "ENOENT";
    if (!isAbsent || path.length === 0) throw error;
  }
  const above = roots.hold(directory, parentOf(path));
  const target = openTarget(above.path);
  try {
    const name = path.subarray(path.lastIndexOf(SLASH) + 1);
    target.directory(target.root, name, { create: true });
  } finally {
    target[Symbol.dispose]();
    above[Symbol.dispose]();
  }
  return roots.hold(directory, path);
}

function parentOf(path: Uint8Array): Uint8Array {
  return path.subarray(0, Math.max(path.lastIndexOf(SLASH), 0));
}

function conflictError(conflicts: readonly Conflict[]): ToolError {
  const names = conflicts.slice(0, SAMPLE_MAX)
    .map(({ path, reason }) => `${displayPath(path)} (${reason})`);
  const more = conflicts.length - names.length;
  const rest = more > 0 ? ` and ${more} more` : "";
  return new ToolError(
    `Cannot restore: in its way stands what no snapshot holds: ${
      names.join(", ")
    }${rest}`,
    "nothing was changed; move these away, or restore a part by path",
  );
}

/** Says which snapshot has what there was: a restore that ends early has changed some of it. */
function withBefore(error: unknown, before: NamedRecord): unknown {
  if (error instanceof ToolError || !(error instanceof Error)) return error;
  return new ToolError(
    error.message,
    `the directory as it was is snapshot ${before.tree}@${before.record}`,
    { cause: error },
  );
}
