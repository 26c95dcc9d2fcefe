import type { SaveResult } from "@snap/snapshot/save";
import type { SaveProgress } from "@snap/snapshot/save-progress";
import type { JsonRecord } from "./json_line.ts";
import type { Progress } from "./progress_line.ts";
import {
  formatCount,
  formatCounted,
  formatDuration,
  formatSize,
} from "./units.ts";

/**
 * Turns the counters of a save into a progress line.
 *
 * @param progress The counters.
 * @returns How far the save is.
 */
export function saveProgressOf(progress: SaveProgress): Progress {
  return {
    unit: "file",
    doneCount: progress.fileCount,
    totalCount: progress.foundFileCount,
    doneByteCount: progress.byteCount,
    totalByteCount: progress.foundByteCount,
    isTotalKnown: progress.isWalked,
  };
}

/**
 * Says in one line what a save did.
 *
 * @param result What it did.
 * @param ms How long it took, in milliseconds.
 * @returns The line.
 */
export function summarizeSave(result: SaveResult, ms: number): string {
  const { totals, progress, record } = result;
  const what = `${formatCounted(totals.fileCount, "file")}, ${
    formatSize(totals.byteCount)
  }`;
  const news = result.hasNewAttributesOnly
    ? "new attributes"
    : !result.isNewRecord && record !== undefined
    ? "nothing new"
    : `${formatCounted(progress.newObjectCount, "new object")}, ${
      formatSize(progress.newByteCount)
    }, stored in ${formatSize(result.storedByteCount)}`;
  const verb = record === undefined ? "Would save" : "Saved";
  return `${verb} ${what}: ${news}; ${
    formatCount(progress.readFileCount)
  } read, ${formatDuration(ms)}`;
}

/**
 * The same for programs.
 *
 * @param result What the save did.
 * @returns A line of type `saved`.
 */
export function savedRecord(result: SaveResult): JsonRecord {
  const { progress, record } = result;
  return {
    type: "saved",
    id: result.id,
    ...(record === undefined ? {} : { record: record.record }),
    isDryRun: record === undefined,
    isNewRecord: result.isNewRecord,
    hasNewAttributesOnly: result.hasNewAttributesOnly,
    totals: result.totals,
    readFileCount: progress.readFileCount,
    newObjectCount: progress.newObjectCount,
    newByteCount: progress.newByteCount,
    storedByteCount: result.storedByteCount,
    errorCount: result.errorCount,
    changedCount: result.changedCount,
    socketCount: result.socketCount,
    fidelity: result.fidelity,
  };
}
