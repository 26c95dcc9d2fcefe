import type { HasherName } from "@snap/hash";
import type {
  FinishedPackFile,
  IndexConfig,
  SinkConfig,
} from "@snap/pack/sink";
import type { IndexFile } from "@snap/pack/index";
import type { MoveBatch, MoveResult } from "./batch.ts";

/** Settings of a thread of a copy. */
export interface MoveWorkerConfig {
  /** The beginning of the path of each file of the source. */
  readonly sourcePrefix: string;
  /** The tables of the index of the source. */
  readonly tables: readonly IndexFile[];
  /** Settings of its sink. */
  readonly sink: SinkConfig;
  readonly hasher: HasherName;
}

/** Message of the main thread to a thread of a copy. */
export type ToMoveWorker =
  | { readonly type: "begin"; readonly config: MoveWorkerConfig }
  | { readonly type: "batch"; readonly batch: MoveBatch }
  | { readonly type: "reopen"; readonly index: IndexConfig }
  | { readonly type: "finish" }
  | { readonly type: "discard" };

/** Message of a thread of a copy. */
export type FromMoveWorker =
  | { readonly type: "ready" }
  | { readonly type: "result"; readonly result: MoveResult }
  | { readonly type: "pack"; readonly pack: FinishedPackFile }
  | { readonly type: "answered" };
