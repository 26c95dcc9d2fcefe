import type { SaveResult } from "./save.ts";

/**
 * Writes what a save did for JSON.
 *
 * @returns The fields.
 */
export function savedFields(result: SaveResult): Record<string, unknown> {
  const { progress, record } = result;
  return {
    id: result.id,
    record: record?.record,
    isDryRun: record === undefined,
    isNewRecord: result.isNewRecord,
    hasNewAttributesOnly: result.hasNewAttributesOnly,
    totals: result.totals,
    readFileCount: progress.readFileCount,
    newObjectCount: progress.newObjectCount,
    newByteCount: progress.newByteCount,
    storedByteCount: result.storedByteCount,
    indexByteCount: result.indexByteCount,
    errorCount: result.errorCount,
    changedCount: result.changedCount,
    socketCount: result.socketCount,
    fidelity: result.fidelity,
  };
}
