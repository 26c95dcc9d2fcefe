import type { StatTable } from "@snap/posix/stat-table";
import type { Source } from "@snap/disk/source";
import type { Hasher } from "@snap/hash";
import type { Totals } from "@snap/snapshot/records";
import type { SaveProgress } from "./progress.ts";
import type { SourceReport } from "./source_report.ts";
import type { ObjectNamer } from "./walk/directory_encoder.ts";
import type { KnownChanges } from "./walk/known_changes.ts";
import type { Moment, PreviousDirectory } from "./walk/previous_directory.ts";
import type { PreviousReader } from "./walk/previous_reader.ts";
import type { RowRecorder } from "./walk/row_recorder.ts";
import type { SpillFiles } from "./walk/spill_file.ts";
import type { SaveWriter } from "./workers.ts";

/** The snapshot before. */
export interface PreviousSnapshot {
  readonly root: PreviousDirectory | undefined;
  /** Where its save was begun. */
  readonly start: Moment;
  readonly reader: PreviousReader;
  /** Totals of its record. */
  readonly totals: Totals;
  /** What of the source is as it was then. */
  readonly known: KnownChanges | undefined;
}

/** Options of {@linkcode SavePipeline}. */
export interface SavePipelineOptions {
  readonly source: Source;
  readonly writer: SaveWriter;
  /** Names trees and pages, and hands them to the writer. */
  readonly namer: ObjectNamer;
  readonly hasher: Hasher;
  /** Whether content is only named. */
  readonly isNaming: boolean;
  /** Workers; none reads in this thread. */
  readonly workers: number;
  readonly previous: PreviousSnapshot | undefined;
  /** Where directories lie that are too wide for memory; in memory if absent. */
  readonly spill: SpillFiles | undefined;
  /** Takes down what is seen; nothing of it is known. */
  readonly recorder?: RowRecorder | undefined;
  readonly trustStat: boolean;
  readonly onProgress: ((progress: SaveProgress) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Result of a pipeline. */
export interface SavePipelineResult extends SourceReport {
  /** The id of the root's tree, then the id of its page. */
  readonly ids: Uint8Array;
  /** Bytes that were read only as their files are so young. */
  readonly youngByteCount: number;
  /** Whether the totals are right: not where the snapshot before is damaged that they rely on. */
  readonly areTotalsKnown: boolean;
  /** Rows of the devices, in the order of their numbers. */
  readonly devices: StatTable;
}
