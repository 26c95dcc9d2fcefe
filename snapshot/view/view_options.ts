import type { Id } from "@snap/hash";
import type { StoreReader } from "@snap/pack/read";
import type { StoreOptions } from "@snap/store";

/** Source of readers of objects, as `Snapshots` is. */
export interface ReaderSource {
  /** Opens a reader, once. */
  reader(): Promise<StoreReader>;
}

/** The two ids that name a snapshot with its attributes: those of a record. */
export interface ViewRoot {
  /** The root tree. */
  readonly tree: Id;
  /** The attribute page of the root. */
  readonly page: Id;
}

/** Options of `View.open`. */
export interface OpenViewOptions extends StoreOptions {
  /**
   * Memory for directories in bytes.
   *
   * @default {16777216}
   */
  cacheSize?: number;
}

/** Options of `View.read` and `View.stream`. */
export interface ReadEntryOptions extends StoreOptions {
  /**
   * First byte.
   *
   * @default {0}
   */
  offset?: number | undefined;
  /** Bytes wanted; fewer come where the file ends. Without it, all up to the end. */
  length?: number | undefined;
}
