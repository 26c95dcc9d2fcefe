/**
 * Damage of a store, and the entries that it reaches.
 *
 * @module
 */
import type { Id } from "@snap/hash";

/** Thing that is damaged. */
export type DamageSubject =
  | "object"
  | "pack"
  | "index"
  | "record"
  | "tag"
  | "config"
  | "lease"
  | "removal";

/**
 * Kind of the damage.
 *
 * - `disk`: stored bytes are not those that were written.
 * - `memory`: stored bytes match their checksum, and give another object.
 * - `missing`: no pack that is there holds the object, or the file is gone.
 * - `size`: a tree, a recipe or an index says another size.
 * - `id`: the whole has another id, though each part is sound.
 * - `syntax`: the bytes are what their id says, and break the format.
 * - `disagreement`: an index says something else than the pack.
 */
export type DamageReason =
  | "disk"
  | "memory"
  | "missing"
  | "size"
  | "id"
  | "syntax"
  | "disagreement";

/** A path that damage concerns. */
export interface DamagedPath {
  /** The snapshot. */
  readonly snapshot: Id;
  /** The path in it; empty for the root. */
  readonly path: Uint8Array;
}

/** A damaged object, pack, table or document. */
export interface Damage {
  /** Thing that is damaged. */
  readonly subject: DamageSubject;
  /** Kind of the damage. */
  readonly reason: DamageReason;
  /** A sentence about it. */
  readonly message: string;
  /** The id of the object, when it is one. */
  readonly id?: Id;
  /** The number of the object's kind. */
  readonly kind?: number;
  /** The file in the store: pack, index table, record, tag entry or config. */
  readonly storeName?: string;
  /** The first paths that need it. */
  readonly paths: readonly DamagedPath[];
  /** Number of paths that were met; a directory that several snapshots share counts once. */
  readonly pathCount: number;
}
