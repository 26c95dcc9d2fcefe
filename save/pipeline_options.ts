import type { DiskError } from "@snap/disk";
import type { Source } from "@snap/disk/source";
import type { Hasher } from "@snap/hash";
import type { MakeBytes } from "@snap/manifest";
import type { SaveObject } from "./walk/directory_encoder.ts";
import type { UnrealDevice } from "./walk/device_table.ts";
import type { FinishedPackFile } from "./pack/pack_files.ts";
import type { Moment, ParentDirectory } from "./walk/previous_directory.ts";
import type { IndexConfig, RecipeNode, SaverConfig } from "./messages.ts";
import type { SaveProgress } from "./progress.ts";
import type { Totals } from "@snap/snapshot/records";

/** What `SaveRun` needs. */
export interface SaveRunOptions {
  readonly source: Source;
  readonly config: Omit<
    SaverConfig,
    "spoolPath" | "source" | "stop" | "inHand"
  >;
  readonly hasher: Hasher;
  readonly random: (size: number) => Uint8Array;
  /** Workers; none reads in this thread. */
  readonly workers: number;
  /** The paths of packs begin with this; one for each worker and one more. */
  readonly spoolPaths: readonly string[];
  /** The root of the snapshot before. */
  readonly parent: ParentDirectory | undefined;
  readonly parentStart: Moment | undefined;
  /** Opens a directory of the snapshot before, by the ids of its tree and page. */
  readonly openParent: (
    ids: Uint8Array,
  ) => Promise<ParentDirectory | undefined>;
  /** Makes room for a directory of very many entries; in memory if absent. */
  readonly makeWide?: MakeBytes;
  /** Tells whether content is in the store; without it, that of the snapshot before is. */
  readonly isStored?: (id: Uint8Array, offset: number) => boolean;
  readonly trustStat: boolean;
  /** Names and stores trees and pages. */
  readonly saveObject: SaveObject;
  readonly saveRecipe: (node: RecipeNode) => void;
  readonly onPack: (pack: FinishedPackFile) => void;
  /** Waits while the store has enough to do. */
  readonly settled: () => Promise<void> | undefined;
  /** Room for claims; absent if nothing is stored. */
  readonly room?: {
    readonly isFull: () => boolean;
    /** Takes everything so far into the store and its index, and forgets the claims. */
    readonly make: () => Promise<IndexConfig>;
  };
  readonly onProgress: ((progress: SaveProgress) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** What a run found. */
export interface SaveRunResult {
  /** The id of the root tree, then the id of its page. */
  readonly ids: Uint8Array;
  readonly totals: Totals;
  /** What could not be read, the first of it. */
  readonly errors: readonly DiskError[];
  readonly errorCount: number;
  /** Files that changed while they were read, the first of them. */
  readonly changed: readonly Uint8Array[];
  readonly changedCount: number;
  /** Bytes of files that were read only because they were too young, and what opening them costs. */
  readonly youngByteCount: number;
  /** File systems that make their files up as they are read. */
  readonly unreal: readonly UnrealDevice[];
}
