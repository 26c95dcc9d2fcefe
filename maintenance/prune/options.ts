import type { Hasher } from "@snap/hash";
import { parseCodec } from "@snap/pack/codecs";
import type { PruneStore, StoreOptions } from "@snap/store";
import type { StoreConfig, StoreSettings } from "@snap/store/format";
import type { PruneHolder } from "./leases.ts";
import type { PruneProgress } from "./report.ts";

/** A store that is pruned, as `Snapshots` is. */
export interface PruneSource {
  /** The store. */
  readonly store: PruneStore;
  /** Its config. */
  readonly config: StoreConfig;
  /** Its settings. */
  readonly settings: StoreSettings;
  /** What hashes. */
  readonly hasher: Hasher;
}

/** Options of {@linkcode prune}. */
export interface PruneOptions extends StoreOptions {
  /**
   * The share of a pack that may be of no use, 0 to 1: above, what is needed of it
   * is written again.
   *
   * @default {0.05}
   */
  readonly maxUnused?: number | undefined;
  /** Most bytes that are written again. Default: no limit. */
  readonly maxRepack?: number | undefined;
  /** Codec of what is written again; what is stored stays as it is where left out. */
  readonly recompress?: string | undefined;
  /** Whether nothing is changed, only said. Default: false. */
  readonly dryRun?: boolean;
  /** Ids of records that count as forgotten, in a dry run. */
  readonly forgotten?: readonly string[];
  /** Ids of records that are known to be broken: what can be read of them is kept. */
  readonly despite?: readonly string[];
  /** Whether nobody else writes into the store: leases are then those of runs that are gone. Default: false. */
  readonly singleWriter?: boolean;
  /** How long others are waited for, in milliseconds. Default: 0. */
  readonly waitMs?: number | undefined;
  /** Where this runs, for people who read of its lease. */
  readonly host?: string;
  /** Which program this is. */
  readonly program?: string;
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number;
  /** Waits for some milliseconds. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Gives random bytes. */
  readonly random?: (size: number) => Uint8Array;
  /** Called at most ten times a second. */
  readonly onProgress?: (progress: PruneProgress) => void;
  /** Told whom it waits for, before it does. */
  readonly onWait?: (holders: readonly PruneHolder[]) => void;
}

/** Refuses options that are out of bounds. */
export function checkOptions(
  { maxUnused, maxRepack, recompress, dryRun, forgotten }: PruneOptions,
): void {
  if (forgotten !== undefined && dryRun !== true) {
    throw new RangeError(
      "Cannot prune: records count as forgotten in a dry run only",
    );
  }
  if (maxUnused !== undefined && !(maxUnused >= 0 && maxUnused <= 1)) {
    throw new RangeError(
      `Cannot prune: the share of a pack that may be of no use is 0 to 1: found ${maxUnused}`,
    );
  }
  if (maxRepack !== undefined && !(maxRepack >= 0)) {
    throw new RangeError(
      `Cannot prune: the bytes that may be written again are 0 or more: found ${maxRepack}`,
    );
  }
  if (recompress !== undefined) parseCodec(recompress);
}
