import type { EntryKindName } from "@snap/manifest/extras";
import type { ContentSource } from "../pack/write_content.ts";

/** An entry that a program hands to `saveEntries`. */
export interface EntryInput {
  /**
   * Its path, relative to the root of the snapshot, with slashes. Text stands for
   * its UTF-8 bytes, and nothing in it is escaped. `.` is the root itself.
   */
  readonly path: string | Uint8Array;
  /**
   * Its kind. Without one, what has content is a file, and what has a target is a
   * symbolic link.
   */
  readonly kind?: EntryKindName;
  /** What a file holds, text as UTF-8; nothing if left out. It is read when its turn comes. */
  readonly content?: string | ContentSource;
  /** Where a symbolic link leads to. */
  readonly target?: string | Uint8Array;
  /**
   * The 12 permission bits; higher ones are left out. A file that its owner may
   * execute is `executable`, whatever its kind says.
   *
   * @default 0o755 for directories and what is executable, 0o777 for links, else 0o644
   */
  readonly mode?: number;
  /**
   * Modification time, in place of `mtimeSec` and `mtimeNs`.
   *
   * @default When the save began
   */
  readonly mtime?: Date;
  /** Modification time, whole seconds since 1970. */
  readonly mtimeSec?: number;
  /**
   * Modification time, nanoseconds after that second.
   *
   * @default {0}
   */
  readonly mtimeNs?: number;
  /**
   * User id of the owner.
   *
   * @default {0}
   */
  readonly uid?: number;
  /**
   * Group id of the owner.
   *
   * @default {0}
   */
  readonly gid?: number;
  /**
   * Major number of a device.
   *
   * @default {0}
   */
  readonly deviceMajor?: number;
  /**
   * Minor number of a device.
   *
   * @default {0}
   */
  readonly deviceMinor?: number;
}

/** What {@linkcode EntryInput} comes as: one after the other, in any order. */
export type EntryInputs = AsyncIterable<EntryInput> | Iterable<EntryInput>;
