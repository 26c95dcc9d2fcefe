import type {
  FinishedPackFile,
  IndexConfig,
  SinkConfig,
} from "@snap/pack/sink";
import type { IndexFile } from "@snap/pack/index";
import type { MoveBatch, MoveResult } from "./batch.ts";

/** What a thread of a copy is told. */
export interface MoveWorkerConfig {
  /** What the path of each file of the source begins with. */
  readonly sourcePrefix: string;
  /** The tables of the index of the source. */
  readonly tables: readonly IndexFile[];
  /** What it writes with. */
  readonly sink: SinkConfig;
  readonly hasher: "wasm" | "native";
}

/** What a thread of a copy hears. */
export type ToMoveWorker =
  | { readonly type: "begin"; readonly config: MoveWorkerConfig }
  | { readonly type: "batch"; readonly batch: MoveBatch }
  | { readonly type: "reopen"; readonly index: IndexConfig }
  | { readonly type: "finish" }
  | { readonly type: "discard" };

/** What a thread of a copy says. */
export type FromMoveWorker =
  | { readonly type: "ready" }
  | { readonly type: "result"; readonly result: MoveResult }
  | { readonly type: "pack"; readonly pack: FinishedPackFile }
  | { readonly type: "answered" };
