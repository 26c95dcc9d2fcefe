/**
 * Everything a store throws that a caller may want to tell apart.
 *
 * @module
 */

/** Action on a store that failed. */
export type StoreAction =
  | "open"
  | "find"
  | "read"
  | "size"
  | "list"
  | "create"
  | "adopt"
  | "sync"
  | "remove";

/** Fields of a {@link StoreError} beside its message. */
export interface StoreErrorFields {
  /** Name of the reason, such as `EIO`, `ENOSPC`, `EACCES`, or `SHORT`. */
  readonly code: string;
  /** The action that failed. */
  readonly action: StoreAction;
  /** The name in the store, where one is concerned. */
  readonly storeName?: string;
  /** The path on the disk, where one is concerned. */
  readonly path?: string;
  /** The error beneath. */
  readonly cause?: unknown;
}

/** Thrown when a store fails. It never means that a name is absent. */
export class StoreError extends Error {
  /** Name of the reason: that of the operating system, or `SHORT` for a range beyond the end. */
  readonly code: string;
  /** The action that failed. */
  readonly action: StoreAction;
  /** The name in the store, where one is concerned. */
  readonly storeName: string | undefined;
  /** The path on the disk, where one is concerned. */
  readonly path: string | undefined;

  /** Describes a failure. */
  constructor(message: string, fields: StoreErrorFields) {
    super(
      message,
      fields.cause === undefined ? undefined : { cause: fields.cause },
    );
    this.name = "StoreError";
    this.code = fields.code;
    this.action = fields.action;
    this.storeName = fields.storeName;
    this.path = fields.path;
  }
}

/** Thrown when a name is absent, which the store knows for a fact. */
export class NotFoundError extends Error {
  /** The name that is absent. */
  readonly storeName: string;

  /** Describes an absence. */
  constructor(storeName: string, options?: ErrorOptions) {
    super(`Cannot find ${storeName} in the store`, options);
    this.name = "NotFoundError";
    this.storeName = storeName;
  }
}

/** Thrown when what was opened as a store is none. */
export class NotAStoreError extends Error {
  /** Where a store was looked for. */
  readonly location: string;

  /** Describes a place that is no store. */
  constructor(location: string, reason: string, options?: ErrorOptions) {
    super(`Cannot open ${location} as a store: ${reason}`, options);
    this.name = "NotAStoreError";
    this.location = location;
  }
}

/** Thrown when a file needs a newer program to read it, or to add to its store. */
export class UnsupportedVersionError extends Error {
  /** Version of the format that the file has. */
  readonly version: number;
  /** The feature bits that are not known here. */
  readonly features: number;

  /** Describes a file that is too new. */
  constructor(use: "read" | "write", version: number, features: number) {
    const need = features === 0
      ? `it has version ${version} of the format, and only 1 is known here`
      : `it uses features that are not known here (0x${features.toString(16)})`;
    super(
      `Cannot ${
        use === "read" ? "read the file" : "add to the store"
      }: ${need}`,
    );
    this.name = "UnsupportedVersionError";
    this.version = version;
    this.features = features;
  }
}

/** Thrown when the bytes of a header or a document are damaged. */
export class DocumentSyntaxError extends SyntaxError {
  /** Where in the bytes the damage is, as far as that is known. */
  readonly offset: number;

  /** Describes damage. */
  constructor(message: string, offset: number, options?: ErrorOptions) {
    super(message, options);
    this.name = "DocumentSyntaxError";
    this.offset = offset;
  }
}
