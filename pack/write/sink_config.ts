/**
 * Settings of a sink, and the objects that it hands on.
 *
 * @module
 */
import type { Hasher } from "@snap/hash";
import type { StoreSettings } from "@snap/store/format";
import type { FrameEncoders } from "../codec/lz4_codec.ts";
import type { PackRole } from "../object_kind.ts";
import type { FrameRows } from "./frame_builder.ts";
import type { PackTarget } from "./pack_files.ts";
import type { StoredFrame } from "./pack_writer.ts";
import type { IndexConfig } from "./stored_objects.ts";

/**
 * Which objects are kept: those that the store does not hold; all of them, each
 * once, as for packs that replace others; none, they are only counted.
 */
export type WriterMode = "new" | "copy" | "count";

/** A node of a recipe to be stored; a root has the id of its object. */
export interface EncodedNode {
  /** Its id. */
  readonly id: Uint8Array;
  /** The node. */
  readonly bytes: Uint8Array;
  /** Whether it is the root. */
  readonly isRoot: boolean;
}

/** Where a thread hands on what it has made: the writer, or the way to it. */
export interface ObjectTarget extends PackTarget {
  /**
   * Takes nodes of a recipe, each before the one that names it.
   *
   * @param nodes The nodes; a root only when its content has been checked.
   */
  addRecipe(nodes: readonly EncodedNode[]): void;
}

/** Settings of a sink, in a worker or not. */
export interface SinkConfig extends IndexConfig {
  /** The settings of the store. */
  readonly settings: StoreSettings;
  /** The save id. */
  readonly saveId: Uint8Array;
  /** The beginning of the paths of this sink's packs. */
  readonly spoolPath: string;
  /** The claims, shared by all sinks of a writer. */
  readonly claims: SharedArrayBuffer;
  /** Which objects are kept. */
  readonly mode: WriterMode;
  /** Where a worker waits after each pack; absent in the main thread, which must not block. */
  readonly gate?: SharedArrayBuffer;
}

/** Tools of a sink that cannot be sent to a worker. */
export interface SinkTools {
  /** The hasher. */
  readonly hasher: Hasher;
  /** Where the salts of packs come from. Default: random bytes. */
  readonly random?: ((size: number) => Uint8Array) | undefined;
  /** Takes finished packs: the writer, or the way to it. */
  readonly target: PackTarget;
  /** What compresses instead of the codecs. */
  readonly encoders?: FrameEncoders | undefined;
}

/** Counts of objects that were not in the store before. */
export interface NewCounts {
  /** Plain bytes that were new. */
  readonly newByteCount: number;
  /** Objects that were new. */
  readonly newObjectCount: number;
}

/** A frame as it is stored elsewhere, whose objects were checked against their ids. */
export interface CheckedFrame extends StoredFrame {
  /** As it is stored. */
  readonly stored: Uint8Array;
  /** Its plain bytes. */
  readonly plain: Uint8Array;
  /** Those of its objects that are wanted. */
  readonly rows: FrameRows;
  /** Of data or of trees. */
  readonly role: PackRole;
  /** Whether it is compressed anew, by the codec of the sink. Default: false. */
  readonly isRecoded?: boolean;
  /** Whether the store was asked for these objects, and has none of them. Default: false. */
  readonly isMissing?: boolean;
}
