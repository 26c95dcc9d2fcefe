import type { ObjectWriter } from "@snap/pack/write";
import type { ContentPacker } from "../pack/content_packer.ts";
import type { BatchQueue } from "./batch_queue.ts";
import type { DeviceTable } from "./device_table.ts";
import type { DirectoryCompleter } from "./directory_completer.ts";
import type { DirectoryEncoder } from "./directory_encoder.ts";
import type { KnownChanges } from "./known_changes.ts";
import type { PreviousReader } from "./previous_reader.ts";
import type { RowRecorder } from "./row_recorder.ts";
import type { SpillFiles } from "./spill_file.ts";

/** The save that a walk is a part of. */
export interface WalkRun {
  /** Counts a file whose content is known from the snapshot before. */
  countUnchanged(byteCount: number): void;
  /**
   * Waits while too much is under way, and lets the event loop have its turn
   * where it is time.
   *
   * @returns What to wait for, if anything.
   */
  pace(): Promise<void> | undefined;
}

/** Options of {@linkcode SaveWalk}. */
export interface SaveWalkOptions {
  /** Takes files to be read. */
  readonly queue: BatchQueue;
  /** Numbers devices, and knows whose times can be trusted. */
  readonly devices: DeviceTable;
  /** Sets attributes of a directory or an entry. */
  readonly directories: DirectoryEncoder;
  /** Names directories of which everything is known. */
  readonly completer: DirectoryCompleter;
  /** Stores large attributes. */
  readonly packer: ContentPacker;
  /** Opens directories of the snapshot before. */
  readonly previous: PreviousReader | undefined;
  /** Makes files for directories that are too wide for memory. */
  readonly spill: SpillFiles | undefined;
  /** Knows whether content of the snapshot before is still in the store. */
  readonly writer: Pick<ObjectWriter, "sink" | "trustsRecords">;
  /** Counts what is unchanged, and says when to wait. */
  readonly run: WalkRun;
  /** Knows what is as it was in the snapshot before, whose totals the encoder has begun with. */
  readonly known: KnownChanges | undefined;
  /** Takes down what is seen; nothing of it is known. */
  readonly recorder: RowRecorder | undefined;
}
