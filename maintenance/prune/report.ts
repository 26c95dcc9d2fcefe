import type { PruneHolder } from "./leases.ts";

/** What a run of prune is at. */
export type PrunePhase = "mark" | "repack" | "wait" | "remove";

/** How far a run is. */
export interface PruneProgress {
  /** What it is at. */
  readonly phase: PrunePhase;
  /** Snapshots that were gone through, or packs that were removed. */
  readonly doneCount: number;
  /** How many there are. */
  readonly totalCount: number;
  /** Bytes that were written again. */
  readonly byteCount: number;
  /** Bytes that are to be. */
  readonly totalByteCount: number;
}

/** What was removed, or of a dry run what would be. */
export interface PruneReport {
  /** Snapshots whose needs are known; 0 if only a round was ended that another run began. */
  recordCount: number;
  /** Objects that they need. */
  objectCount: number;
  /** Packs that were removed, also those that were written again. */
  removedPackCount: number;
  /** Their bytes. */
  removedByteCount: number;
  /** Packs what is needed of which was written again. */
  repackedPackCount: number;
  /** Bytes that were written for them; of a dry run about as many. */
  writtenByteCount: number;
  /** Packs that wait to be removed. */
  condemnedPackCount: number;
  /** Their bytes. */
  condemnedByteCount: number;
  /** Saves that were asleep for so long that they count as failed. */
  voidCount: number;
  /** Runs that have to end before what is condemned is removed. */
  waitingFor: readonly PruneHolder[];
  /** Packs that were to be written again and are damaged: they stay as they are. */
  damagedPacks: { readonly name: string; readonly error: Error }[];
  /** Whether the disk was too full to write anything again: the next run can. */
  isFull: boolean;
}

/** A report in which nothing has been done. */
export function newReport(): PruneReport {
  return {
    recordCount: 0,
    objectCount: 0,
    removedPackCount: 0,
    removedByteCount: 0,
    repackedPackCount: 0,
    writtenByteCount: 0,
    condemnedPackCount: 0,
    condemnedByteCount: 0,
    voidCount: 0,
    waitingFor: [],
    damagedPacks: [],
    isFull: false,
  };
}
