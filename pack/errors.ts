/**
 * Errors of reading and writing packs, on one screen. Stored bytes of a
 * single frame that cannot be decoded are a `FrameSyntaxError`.
 *
 * @module
 */
import { type Id, idFromBytes } from "@snap/hash";
import { objectKindName } from "./object_kind.ts";

/** Bytes that are not a pack, its table or its footer. */
export class PackSyntaxError extends SyntaxError {
  /** Offset of the fault in the bytes that were read. */
  readonly offset: number;

  /**
   * Makes the error.
   *
   * @param message What could not be read, and why
   * @param offset Offset in the bytes that were read
   * @param options Cause, where there is one
   */
  constructor(message: string, offset: number, options?: ErrorOptions) {
    super(message, options);
    this.name = "PackSyntaxError";
    this.offset = offset;
  }
}

/** Bytes that are not an index table or one of its pages. */
export class IndexSyntaxError extends SyntaxError {
  /** Offset of the fault in the file. */
  readonly offset: number;
  /** Name of the table in its store, where that is known. */
  readonly tableName: string | undefined;

  /**
   * Makes the error.
   *
   * @param message What could not be read, and why
   * @param offset Offset in the file
   * @param options Cause and name of the table, where there are any
   */
  constructor(
    message: string,
    offset: number,
    options?: ErrorOptions & { readonly tableName?: string | undefined },
  ) {
    super(message, options);
    this.name = "IndexSyntaxError";
    this.offset = offset;
    this.tableName = options?.tableName;
  }
}

/**
 * Where an object was damaged: `disk` where the stored bytes differ from what
 * was written, `memory` where they match their CRC and still do not give the
 * object, so that it was damaged before it was written or after it was read.
 */
export type DamageReason = "disk" | "memory";

/** Fields of a {@linkcode DamageError}. */
export interface Damage {
  /** 32 bytes of the object's id. */
  readonly id: Uint8Array;
  /** Number of the object's kind. */
  readonly kind: number;
  /** Name of the pack in its store. */
  readonly packName: string;
  /** Where the damage was done. */
  readonly reason: DamageReason;
}

/** A stored object whose bytes do not match its id, in every copy there is. */
export class DamageError extends Error {
  /** Id of the object. */
  readonly id: Id;
  /** Number of the object's kind. */
  readonly kind: number;
  /** Name of the pack in its store. */
  readonly packName: string;
  /** Where the damage was done. */
  readonly reason: DamageReason;

  /**
   * Makes the error.
   *
   * @param damage The object, its pack, and where the damage was done
   * @param options Cause, where there is one
   */
  constructor(damage: Damage, options?: ErrorOptions) {
    const id = idFromBytes(damage.id);
    const found = damage.reason === "disk"
      ? "holds damaged bytes"
      : "gave other bytes, though its checksum is right";
    const name = objectKindName(damage.kind);
    super(`Cannot read ${name} ${id}: ${damage.packName} ${found}`, options);
    this.name = "DamageError";
    this.id = id;
    this.kind = damage.kind;
    this.packName = damage.packName;
    this.reason = damage.reason;
  }
}

/** An object that no pack of the store holds. */
export class ObjectNotFoundError extends Error {
  /** Id of the object. */
  readonly id: Id;
  /** Number of the object's kind. */
  readonly kind: number;

  /**
   * Makes the error.
   *
   * @param idBytes 32 bytes of the object's id
   * @param kind Number of the object's kind
   */
  constructor(idBytes: Uint8Array, kind: number) {
    const id = idFromBytes(idBytes);
    super(`Cannot read ${objectKindName(kind)} ${id}: no pack holds it`);
    this.name = "ObjectNotFoundError";
    this.id = id;
    this.kind = kind;
  }
}

/**
 * Thrown when packs were removed without a run that was away for too long: what it
 * has written may be incomplete, and does not count.
 */
export class OvertakenError extends Error {
  /** Advice for the user. */
  readonly hint = "begin again: what is stored already is not sent once more";

  /** Describes a run that was overtaken. */
  constructor() {
    super("Cannot finish: overtaken by prune after too long a pause");
    this.name = "OvertakenError";
  }
}
