import type { HasherName } from "@snap/hash";
import type {
  EncodedNode,
  FinishedPackFile,
  IndexConfig,
  NewCounts,
  SinkConfig,
} from "@snap/pack/sink";

/** Settings of each thread of a save. */
export interface ThreadConfig {
  /** The path of the directory that is saved. */
  readonly source: Uint8Array;
  /** The stop word, shared by all. */
  readonly stop: SharedArrayBuffer;
  /** Bytes read so far of large files whose results have not come, a 64-bit number, shared by all. */
  readonly inHand: SharedArrayBuffer;
  /** Whether content is only named. */
  readonly isNaming: boolean;
}

/** Settings of a worker, beside those. */
export interface WorkerConfig extends ThreadConfig {
  readonly sink: SinkConfig;
  /** The ring for large files, shared by all. */
  readonly ring: SharedArrayBuffer;
  readonly hasher: HasherName;
}

/** Files of one directory, in a batch. */
export interface BatchPart {
  /** The absolute path of the directory. */
  readonly directory: Uint8Array;
  /** Names, one after the other. */
  readonly names: Uint8Array;
  /** Where each name ends. */
  readonly ends: Uint32Array;
  /** The rows of a `StatTable` with what the walk saw. */
  readonly stats: ArrayBuffer;
}

/** Files for one worker to read and store. */
export interface FileBatch {
  readonly number: number;
  readonly parts: readonly BatchPart[];
}

/** How a file of a batch ended. */
export const FileStatus = {
  /** Stored as the walk saw it. */
  stored: 0,
  /** Changed after the walk, then stored whole; its row is in `rows`. */
  reread: 1,
  /** Changed while it was read twice: stored as last read. */
  changed: 2,
  /** Not read: its error is in `errors`. */
  failed: 3,
} as const;

/** Results of a batch, in its order. */
export interface BatchResult extends NewCounts {
  readonly number: number;
  /** Bytes of `inHand` that are those of this batch. */
  readonly inHandByteCount: number;
  readonly status: Uint8Array;
  /** 32 bytes a file. */
  readonly ids: Uint8Array;
  readonly sizes: Float64Array;
  /** Extras, for files that have any. */
  readonly extras: readonly [index: number, bytes: Uint8Array][];
  /** New rows of files that were read again. */
  readonly rows: readonly [index: number, row: ArrayBuffer][];
  readonly errors: readonly FileError[];
}

/** Why a file was not read. */
export interface FileError {
  readonly index: number;
  readonly action: string;
  readonly code: string;
}

/** Message of the main thread to a worker. */
export type ToSaveWorker =
  | { readonly type: "begin"; readonly config: WorkerConfig }
  | { readonly type: "batch"; readonly batch: FileBatch }
  | { readonly type: "large"; readonly batch: FileBatch }
  | { readonly type: "help" }
  | { readonly type: "finish" }
  | { readonly type: "reopen"; readonly index: IndexConfig }
  | { readonly type: "discard" };

/** Message of a worker to the pipeline. */
export type FromSaveWorker =
  | { readonly type: "pack"; readonly pack: FinishedPackFile }
  | { readonly type: "recipe"; readonly nodes: readonly EncodedNode[] }
  | { readonly type: "counts"; readonly counts: NewCounts };

/** Message of a worker to the pool, or through it to the pipeline. */
export type SaveMessage =
  | { readonly type: "ready" }
  | { readonly type: "result"; readonly result: BatchResult }
  | { readonly type: "helped" }
  | { readonly type: "answered" }
  | FromSaveWorker;
