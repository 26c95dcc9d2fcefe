import { DiskError } from "@snap/disk";
import type { Id } from "@snap/hash";
import { displayPath } from "@snap/manifest/path";
import { objectKindName } from "@snap/pack";

/** Fields of {@linkcode DamagedEntryError}. */
export interface EntryDamage {
  /** Path relative to the target. */
  readonly path: Uint8Array;
  /** The object that is damaged or gone. */
  readonly id: Id;
  /** Number of its kind. */
  readonly kind: number;
  /** The pack that should hold it, where one should. */
  readonly packName?: string;
}

/** An entry that was not restored, as an object that it needs is damaged or gone. */
export class DamagedEntryError extends DiskError {
  /** Always `DamagedEntryError`. */
  override readonly name: string = "DamagedEntryError";
  /** The object. */
  readonly id: Id;
  /** Number of its kind. */
  readonly kind: number;
  /** The pack that should hold it; absent where none claims to. */
  readonly packName: string | undefined;

  /** Makes the error of one entry. */
  constructor(damage: EntryDamage, cause: unknown) {
    super("restore", damage.path, "EDAMAGED", { cause });
    this.id = damage.id;
    this.kind = damage.kind;
    this.packName = damage.packName;
    const what = `${objectKindName(damage.kind)} ${damage.id}`;
    const how = damage.packName === undefined
      ? "damaged or gone"
      : `damaged in ${damage.packName}`;
    const path = displayPath(damage.path) || "the snapshot"; // Its root has no name.
    this.message = `Cannot restore ${path}: its ${what} is ${how}`;
  }
}

/** A target that holds something already, where that was not allowed. */
export class TargetNotEmptyError extends Error {
  /** Always `TargetNotEmptyError`. */
  override readonly name: string = "TargetNotEmptyError";
  /** The path of the target. */
  readonly path: Uint8Array;

  /**
   * Makes the error of a target.
   *
   * @param found How many entries it holds, or the name that one file needs and another has.
   */
  constructor(path: Uint8Array, found: number | Uint8Array) {
    const what = typeof found !== "number"
      ? displayPath(found)
      : found === 1
      ? "1 entry"
      : `${found} entries`;
    super(`Cannot restore into ${displayPath(path)}: it already has ${what}`);
    this.path = path;
  }
}

/** A path that is not in a snapshot. */
export class EntryNotFoundError extends Error {
  /** Always `EntryNotFoundError`. */
  override readonly name: string = "EntryNotFoundError";
  /** The path within the snapshot. */
  readonly path: Uint8Array;

  /** Makes the error of a path. */
  constructor(path: Uint8Array) {
    super(
      `Cannot restore ${displayPath(path)}: the snapshot has no such entry`,
    );
    this.path = path;
  }
}
