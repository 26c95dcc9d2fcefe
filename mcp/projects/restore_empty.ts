import { restore, type RestoreResult } from "@snap/restore";
import { displayPath } from "@snap/manifest/path";
import type { NamedRecord } from "@snap/snapshot/records";
import { ToolError } from "../tool_error.ts";
import type { Project } from "./project.ts";

/**
 * Writes a snapshot of another directory into an empty one.
 *
 * @param path The part that is restored; empty for all.
 * @returns What was done.
 * @throws {ToolError} If the directory is not empty.
 */
export async function restoreEmpty(
  project: Project,
  record: NamedRecord,
  { path, isDry }: { readonly path: Uint8Array; readonly isDry: boolean },
): Promise<RestoreResult> {
  const { call, directory, store, workers } = project;
  const held = call.roots.hold(directory);
  try {
    return await restore(store.snapshots, record, held.path, {
      path,
      dryRun: isDry,
      workers,
      signal: call.signal,
      onProgress: (progress) => project.tell(progress),
    });
  } catch (cause) {
    const isFull = cause instanceof Error &&
      cause.name === "TargetNotEmptyError";
    if (!isFull) throw cause;
    throw new ToolError(
      `Cannot restore into ${directory}: the snapshot is of ${
        displayPath(new TextEncoder().encode(record.source))
      }, and this directory is not empty`,
      "without directory it goes where it was saved; another one has to be empty",
      { cause },
    );
  } finally {
    held[Symbol.dispose]();
  }
}
