import type { SaveResult } from "@snap/save";
import {
  formatCount,
  formatCounted,
  formatDuration,
  formatSize,
} from "./units.ts";

/**
 * Says in one line what a save did.
 *
 * @param ms How long it took, in milliseconds.
 */
export function summarizeSave(result: SaveResult, ms: number): string {
  const { totals, progress, record, errorCount, changedCount } = result;
  const end = [
    `${formatCount(progress.readFileCount)} read`,
    ...errorCount > 0 ? [`${formatCount(errorCount)} could not be read`] : [],
    ...changedCount > 0 ? [`${formatCount(changedCount)} changed`] : [],
    formatDuration(ms),
  ];
  const verb = record === undefined ? "Would save" : "Saved";
  const what = formatCounted(totals.fileCount, "file");
  const size = formatSize(totals.byteCount);
  return `${verb} ${what}, ${size}: ${newsOf(result)}; ${end.join(", ")}`;
}

/** Describes the new bytes in the store; a save also stores what the store had lost. */
function newsOf(result: SaveResult): string {
  const { progress, record, storedByteCount, indexByteCount } = result;
  const isSame = record !== undefined && !result.isNewRecord;
  const stored = [
    ...storedByteCount > 0 ? [`stored in ${formatSize(storedByteCount)}`] : [],
    ...indexByteCount > 0 ? [`index of ${formatSize(indexByteCount)}`] : [],
  ];
  const objects = [
    formatCounted(progress.newObjectCount, "new object"),
    formatSize(progress.newByteCount),
  ];
  if (progress.newObjectCount > 0) stored.unshift(...objects);
  if (isSame) {
    return stored.length === 0
      ? "nothing new"
      : `nothing changed, and stored again what was missing: ${
        stored.join(", ")
      }`;
  }
  if (result.hasNewAttributesOnly) stored.unshift("new attributes");
  else if (progress.newObjectCount === 0) stored.unshift("no new content");
  return stored.join(", ");
}
