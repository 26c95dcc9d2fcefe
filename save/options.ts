import type { IgnoreRules } from "@snap/disk/ignore";
import type { NamedRecord } from "@snap/snapshot/records";
import type { StoreOptions } from "@snap/store";
import type { ChangeFinder } from "./change_finder.ts";
import type { SaveMemory } from "./save_memory.ts";
import type { SaveProgress } from "./progress.ts";

/** A snapshot that a directory is the upper directory of. */
export interface OverlayBase {
  /** The record of the snapshot that is mounted below. */
  readonly lower: NamedRecord;
  /** Where both are seen together: the source that the new record names. */
  readonly mountpoint: string;
}

/** Options for `save`. */
export interface SaveOptions extends StoreOptions {
  /**
   * Threads that read, hash and compress. None does everything in this thread.
   *
   * @default {0}
   */
  workers?: number;
  /** The name of the machine, for the record. */
  host?: string;
  /** The name of the user, for the record. */
  user?: string;
  /** Description of the snapshot. */
  message?: string;
  /** The program that saves, for the record. */
  program?: string;
  /** Patterns of entries that are left out; without it, `.snapignore` files count. */
  ignore?: IgnoreRules;
  /** Keeps directories of other file systems, and nothing in them. */
  oneFileSystem?: boolean;
  /** Reads every file, whatever the snapshot before says. */
  readAll?: boolean;
  /** Believes change times on every file system. */
  trustStat?: boolean;
  /**
   * Finds out what has changed since the newest record of the source, so that a
   * save need not walk all of it.
   */
  changes?: ChangeFinder;
  /**
   * Takes the directory for the upper one of an overlay: what is saved is the
   * snapshot below with what differs. Of the snapshot no content is read.
   */
  overlay?: OverlayBase;
  /**
   * What the process keeps in mind from one save to the next.
   *
   * @internal
   */
  memory?: SaveMemory;
  /** Counts what would be new, and stores nothing. */
  dryRun?: boolean;
  /**
   * Ids of new objects that fit into memory, 36 bytes each, a power of two. At
   * 60 of a hundred everybody waits for an index, and the room is free again.
   *
   * @default {1048576}
   */
  claimSlots?: number;
  /**
   * An index is written with this many bytes of packs, so that a killed save is
   * not lost work.
   *
   * @default {1073741824}
   */
  indexByteCount?: number;
  /**
   * Bytes of packs that may wait for the store; above, reading waits, too.
   *
   * @default Four packs
   */
  spoolSizeMax?: number;
  /** Called at most ten times a second, and once at the end. */
  onProgress?: (progress: SaveProgress) => void;
  /** Told of damage that was met and worked around, and of records that are later than now. */
  onDamage?: (name: string, error: unknown) => void;
  /** Where random bytes come from. Only heard without workers. */
  random?: (size: number) => Uint8Array;
  /** The clock, in milliseconds since 1970. */
  now?: () => number;
}
