import type { HasherName } from "@snap/hash";
import type { CompressedBlock, PlainBlock } from "./compress/block.ts";
import type { BatchReaderConfig } from "./contents/batch_reader.ts";
import type {
  ContentBatch,
  ContentBatchResult,
} from "./contents/content_batch.ts";

/** What a worker that reads contents needs. */
export interface ReadConfig extends BatchReaderConfig {
  readonly hasher: HasherName;
}

/** Message of the main thread to a worker. */
export type ToFormatsWorker =
  /** Without a configuration it will not read. */
  | { readonly type: "begin"; readonly config?: ReadConfig }
  | { readonly type: "read"; readonly batch: ContentBatch }
  | { readonly type: "compress"; readonly block: PlainBlock }
  | { readonly type: "close" };

/** Message of a worker to the main thread. */
export type FromFormatsWorker =
  | { readonly type: "ready" }
  | {
    readonly type: "result";
    readonly result: ContentBatchResult | CompressedBlock;
  };
