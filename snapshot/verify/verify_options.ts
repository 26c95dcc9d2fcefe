import type { Hasher } from "@snap/hash";
import type { FrameDecoders } from "@snap/pack/codecs";
import type { ReadStore, StoreOptions } from "@snap/store";
import type { NamedRecord } from "../records/record.ts";
import type { ListRecordsOptions } from "../records/records.ts";
import type { Damage } from "./damage.ts";
import type { PackFile } from "./pack.ts";
import type { VerifyProgress } from "./verify_progress.ts";

/** Store to verify, as `Snapshots` is. */
export interface VerifySource {
  /** The store. */
  readonly store: ReadStore;
  /** Hasher that checks ids. */
  readonly hasher: Hasher;
  /** What decodes frames in place of the codecs. */
  readonly decoders?: FrameDecoders | undefined;
  /**
   * Reads records.
   *
   * @param options What becomes of damaged ones.
   */
  records(
    options?: Omit<ListRecordsOptions, "hasher">,
  ): Promise<NamedRecord[]>;
}

/** Options of {@linkcode verify}. */
export interface VerifyOptions extends StoreOptions {
  /** Only what these records reach; without them all of the store. */
  records?: readonly NamedRecord[];
  /**
   * Whether all data is read, too: every byte of every pack and index table that
   * counts, or, with `records`, every object that they reach.
   *
   * @default {false}
   */
  data?: boolean;
  /**
   * Says which packs are read with `data`; all are if left out. What `data` reads
   * beside packs is read all the same: index tables, and large contents whose
   * recipes lie in those packs.
   */
  packs?: (pack: PackFile) => boolean;
  /** Called at most ten times a second, and once at the end. */
  onProgress?: (progress: VerifyProgress) => void;
  /** Told of each damage when it is found; paths may be added to it later. */
  onDamage?: (damage: Damage) => void;
}

/** Result of {@linkcode verify}. */
export interface VerifyReport {
  /** Records whose trees were checked. */
  readonly recordCount: number;
  /** Directories that were checked. */
  readonly treeCount: number;
  /** Objects that the records reach, each counted once. */
  readonly objectCount: number;
  /** Packs in the store, but for those of unfinished saves. */
  readonly packCount: number;
  /** Bytes of packs and index tables that were read, and plain bytes of large contents. */
  readonly byteCount: number;
  /** Damages: the first 10,000. */
  readonly damages: readonly Damage[];
  /** Number of all damages; 0 if the store is sound. */
  readonly damageCount: number;
  /** Packs that are marked as damaged: no damage, where what snapshots need of them has sound copies. */
  readonly badPackCount: number;
  /** Packs that the index knows and that are gone. No damage, if nothing needs them. */
  readonly missingPackCount: number;
  /** Packs in no index that no record needs: of a save that runs, or was killed. */
  readonly orphanPackCount: number;
  /** Stored bytes of the orphan packs. */
  readonly orphanByteCount: number;
  /** The names of the first orphan packs. */
  readonly orphanPacks: readonly string[];
}
