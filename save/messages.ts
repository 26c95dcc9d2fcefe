import type { FinishedPackFile } from "./pack/pack_files.ts";
import type { StoreSettings } from "@snap/store/format";

/** What a store held when it was looked at. */
export interface IndexConfig {
  /** The index tables of the store. */
  readonly indexTables: readonly IndexFile[];
  /** The packs that are there, as a `PackSet`; absent if all are that the index names. */
  readonly presentPacks?: Uint8Array;
}

/** What a saver needs, in a worker or not. */
export interface SaverConfig extends IndexConfig {
  /** The path of the directory that is saved. */
  readonly source: Uint8Array;
  readonly settings: StoreSettings;
  readonly saveId: Uint8Array;
  /** The beginning of the paths of this saver's packs. */
  readonly spoolPath: string;
  /** The claims, shared by all. */
  readonly claims: SharedArrayBuffer;
  /** The stop word, shared by all. */
  readonly stop: SharedArrayBuffer;
  /** Bytes read so far of large files whose results have not come, a 64-bit number, shared by all. */
  readonly inHand: SharedArrayBuffer;
  /** What is done with content. */
  readonly mode: SaveMode;
}

/** What a worker needs beside it. */
export interface WorkerConfig extends SaverConfig {
  /** The ring for large files, shared by all. */
  readonly lane: SharedArrayBuffer;
  readonly hasher: "wasm" | "native";
}

/** What a saver does with content: store it, count what would be new, or only name it. */
export type SaveMode = "store" | "count" | "name";

/** The file of an index table. */
export interface IndexFile {
  readonly name: string;
  readonly size: number;
  readonly path: string;
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

/** What was not in the store before. */
export interface NewCounts {
  /** Plain bytes that were new, and how many objects. */
  readonly newByteCount: number;
  readonly newObjectCount: number;
}

/** What came of a batch, in its order. */
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

/** A node of a recipe to be stored; a root has the id of its object. */
export interface RecipeNode {
  readonly id: Uint8Array;
  readonly bytes: Uint8Array;
  readonly isRoot: boolean;
}

/** What main says to a worker. */
export type ToSaveWorker =
  | { readonly type: "begin"; readonly config: WorkerConfig }
  | { readonly type: "batch"; readonly batch: FileBatch }
  | { readonly type: "lane"; readonly batch: FileBatch }
  | { readonly type: "help" }
  | { readonly type: "finish" }
  | { readonly type: "reopen"; readonly index: IndexConfig }
  | { readonly type: "discard" };

/** What a worker says to main. */
export type FromSaveWorker =
  | { readonly type: "ready" }
  | { readonly type: "result"; readonly result: BatchResult }
  | { readonly type: "recipes"; readonly nodes: readonly RecipeNode[] }
  | { readonly type: "helped"; readonly counts: NewCounts }
  | { readonly type: "pack"; readonly pack: FinishedPackFile }
  | { readonly type: "finished" }
  | { readonly type: "reopened" }
  | { readonly type: "discarded" };
