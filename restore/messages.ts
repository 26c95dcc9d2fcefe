import type { HasherName } from "@snap/hash";
import type { IndexFile } from "@snap/pack/index";
import type { FetchedSource, FetchWant, LocalSource } from "@snap/pack/ranges";

/** Settings of a batch writer, in a worker or not. */
export interface RestorerConfig {
  /** The path of the directory that is written into. */
  readonly target: Uint8Array;
  readonly indexTables: readonly IndexFile[];
  /** Looks, and writes nothing. */
  readonly isDry: boolean;
  /** Whether extended attributes are restored and compared. */
  readonly xattrs: boolean;
  /** The stop word, then a counter of 4 KiB units for each worker; shared by all. */
  readonly control: SharedArrayBuffer;
  /** Which of the counters is its own. */
  readonly worker: number;
}

/** Settings of a worker, beside those. */
export interface RestoreWorkerConfig extends RestorerConfig {
  readonly hasher: HasherName;
  /** The source of the bytes of the store. */
  readonly source: LocalSource | FetchedSource;
}

/** Bytes that one count of a progress counter stands for. */
export const COUNTER_UNIT = 4096;

/** Action on a file of a batch. */
export const FilePlan = {
  /** The name is free: the file is created. */
  create: 0,
  /** The file of that name is replaced. */
  replace: 1,
  /** A file of the same size stands there: it is replaced if it differs. */
  compare: 2,
  /** A directory stands there: it is removed when the file is complete. */
  clear: 3,
} as const;

/** Action on a file of a batch. */
export type FilePlan = (typeof FilePlan)[keyof typeof FilePlan];

/** `frameOf` of a file without content. */
export const FRAME_EMPTY = -1;
/** `frameOf` of a file whose content is a recipe. */
export const FRAME_RECIPE = -2;

/** Columns of `frames`: pack, offset, stored size, plain size, codec. */
export const FRAME_COLUMNS = 5;

/** An attribute that is left as it is: of owners, modes and nanoseconds. */
export const KEEP = 0xffffffff;

/** Extended attributes and holes of a file. Where there are no extras it is to have neither. */
export interface FileExtras {
  /** Absent where nothing is known of extras: what stands there keeps its own. */
  readonly xattrs?: readonly {
    readonly name: Uint8Array;
    readonly value: Uint8Array;
  }[];
  /** Start and size of each hole. */
  readonly holes?: Float64Array;
}

/** Files to be written: one row for each, column by column. */
export interface RestoreBatch {
  readonly number: number;
  readonly count: number;
  /** Paths of directories relative to the target, one after the other. */
  readonly paths: Uint8Array;
  /** Where each path ends. */
  readonly pathEnds: Uint32Array;
  /** Whether each is fresh: it, and all above it below the target, were made by this restore. */
  readonly fresh: Uint8Array;
  /** The directory of each file, as a number of a path. */
  readonly directories: Uint32Array;
  /** Names, one after the other. */
  readonly names: Uint8Array;
  /** Where each name ends. */
  readonly nameEnds: Uint32Array;
  /** 32 bytes a file. */
  readonly ids: Uint8Array;
  readonly sizes: Float64Array;
  /** Permission bits, or `KEEP`. */
  readonly modes: Uint32Array;
  readonly uids: Uint32Array;
  readonly gids: Uint32Array;
  readonly mtimeSecs: Float64Array;
  /** Nanoseconds, or `KEEP` for both parts of the time. */
  readonly mtimeNs: Uint32Array;
  /** A `FilePlan` for each. */
  readonly plans: Uint8Array;
  /** The names of packs. */
  readonly packs: readonly string[];
  /** The frames, ascending within a pack. */
  readonly frames: Uint32Array;
  /** The frame of each file, ascending, or one of the two that are none. */
  readonly frameOf: Int32Array;
  /** Where each file begins in its frame. */
  readonly offsets: Uint32Array;
  /** Of files that have any, ascending; absent extras remove what is there. */
  readonly extras: readonly (readonly [index: number, extras: FileExtras])[];
}

/** Outcome of a file of a batch. */
export const RestoreStatus = {
  /** Not come to, as the restore was stopped. */
  stopped: 0,
  /** Written, or in a dry run to be written. */
  written: 1,
  /** Was there with the same content; some attributes were set. */
  attributes: 2,
  /** Was there already. */
  unchanged: 3,
  /** Left to the thread that walks, which tries other copies and removes directories. */
  left: 4,
  /** Its error is in `errors`. */
  failed: 5,
} as const;

/** Results of a batch, in its order. */
export interface RestoreBatchResult {
  readonly number: number;
  readonly status: Uint8Array;
  readonly writtenByteCount: number;
  readonly errors: readonly RestoreFileError[];
}

/** Why a file, or an attribute of it, could not be written. */
export interface RestoreFileError {
  readonly index: number;
  readonly action: string;
  readonly code: string;
  /** Whether only an attribute could not be set. */
  readonly isAttribute: boolean;
}

/** Message of the main thread to a worker. */
export type ToRestoreWorker =
  | { readonly type: "begin"; readonly config: RestoreWorkerConfig }
  | { readonly type: "batch"; readonly batch: RestoreBatch }
  | { readonly type: "close" };

/** Message of a worker to the main thread. */
export type FromRestoreWorker =
  | { readonly type: "ready" }
  | { readonly type: "result"; readonly result: RestoreBatchResult }
  /** The worker wants blocks of the store. */
  | {
    readonly type: "fetch";
    readonly worker: number;
    readonly wants: readonly FetchWant[];
  };
