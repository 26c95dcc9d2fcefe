import type { Source, SourceOptions } from "@snap/disk/source";
import type { StatTable } from "@snap/posix/stat-table";
import type { NamedRecord } from "@snap/snapshot/records";
import type { SourceReport } from "./source_report.ts";
import type { KnownChanges } from "./walk/known_changes.ts";
import type { RowRecorder } from "./walk/row_recorder.ts";

/** Use of {@linkcode ChangeFinder.find}. */
export interface ChangeSearch {
  /** The newest record of the source, if there is one. */
  readonly previous: NamedRecord | undefined;
  /** When the save was begun, in milliseconds since 1970. */
  readonly startMs: number;
  /** Whether change times are believed on every file system. */
  readonly trustStat: boolean;
  /**
   * Opens the source beside that of the save, with the same rules of what is left out.
   *
   * @returns The source, to be closed by the caller.
   */
  openSource(): Source;
  /** Ends the search. */
  readonly signal: AbortSignal | undefined;
}

/** Outcome of a save, for the next one. */
export interface SeenSave extends SourceReport {
  /** Its record, which may be the one before. */
  readonly record: NamedRecord;
  /** Rows of the devices that were met, in the order in which a walk of the whole source meets them. */
  readonly devices: StatTable;
  /**
   * Names the state of the store, where all that the record relies on is known to be there.
   *
   * @returns A name that changes when anything comes or goes.
   */
  storeState(): Promise<string | undefined>;
}

/** What was found; to be disposed of after the save. */
export interface FoundChanges extends AsyncDisposable {
  /** What is known; absent in any doubt. */
  readonly known?: KnownChanges | undefined;
  /**
   * The state of the store that {@linkcode SeenSave.storeState} gave: where it is the
   * same, and so is the root, nobody asks for more.
   */
  readonly storeState?: string | undefined;
  /** Told of what the save sees where it walks the whole source. */
  readonly recorder?: RowRecorder | undefined;
  /**
   * Called once the record of the save stands.
   *
   * @param seen What the save has come to.
   */
  keep?(seen: SeenSave): Promise<void>;
}

/** Finds out what has changed since a record, so that a save need not walk. */
export interface ChangeFinder {
  /** Told of what a walk of the source meets. */
  readonly source?: Pick<SourceOptions, "onDirectory" | "onSocket">;
  /** Called after a save has noted the time, and before it looks at its source. */
  find(search: ChangeSearch): Promise<FoundChanges>;
}
