import {
  type DraftRun,
  EntryError,
  type SavedEntries,
  saveDraft,
  type SaveDraftOptions,
  type SnapshotDraftOptions,
} from "@snap/save/draft";
import type { Snapshots } from "@snap/snapshot";
import type { WriteStore } from "@snap/store";
import { importError } from "./errors.ts";
import { ImportLimit } from "./import_limit.ts";

/** Options of an import: what its record says. */
export interface ImportOptions extends SaveDraftOptions {
  /**
   * Most plain bytes: of archives, of holes, of objects that are read.
   *
   * @default {2 ** 44}
   */
  sizeMax?: number;
}

/** Result of an import. */
export type ImportResult = SavedEntries;

/** A snapshot that is being imported. */
export interface ImportRun extends DraftRun {
  /** What all of it may come to. */
  readonly limit: ImportLimit;
}

/** How {@linkcode importSnapshot} fills a snapshot. */
export interface Filling extends SnapshotDraftOptions {
  /** Adds all entries. What it throws ends the import, and there is no record. */
  readonly fill: (run: ImportRun) => Promise<void>;
}

/**
 * Makes a snapshot of entries of another program. The record is written last: what
 * ends early leaves none.
 *
 * @param snapshots The store to import into.
 * @param filling What adds the entries.
 * @param options What the record says.
 * @returns The snapshot.
 * @throws {ImportError} If an entry is none that a snapshot can hold.
 * @throws {StoreError} If the store fails.
 */
export async function importSnapshot(
  snapshots: Snapshots<WriteStore>,
  filling: Filling,
  options: ImportOptions = {},
): Promise<ImportResult> {
  const { sizeMax, signal } = options;
  const limit = new ImportLimit({ sizeMax, signal });
  const fill = (run: DraftRun) => filling.fill({ ...run, limit });
  const how = { ...options, action: "import" };
  try {
    return await saveDraft(snapshots, { ...filling, fill }, how);
  } catch (error) {
    throw error instanceof EntryError ? importError(error) : error;
  }
}
