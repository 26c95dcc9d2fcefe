import {
  NotFoundError,
  StoreError,
  UnsupportedVersionError,
} from "@snap/store";
import { DamageError } from "./errors.ts";

// What each reader goes on after; any other error ends what it does.

/**
 * Tells whether an index table or a pack is not what was written, or its disk cannot give it.
 *
 * @param error What was thrown while the file was read.
 * @returns Whether what the file holds can be looked for elsewhere.
 */
export function isFileDamage(error: unknown): error is Error {
  return error instanceof SyntaxError || isShort(error) ||
    (error instanceof StoreError && error.code === "EIO");
}

/**
 * Tells whether a pack does not hold what the index says.
 *
 * @param error What was thrown while an object was read from the pack.
 * @returns Whether other packs come first from now on.
 */
export function isCopyDamage(error: unknown): boolean {
  return error instanceof DamageError || error instanceof NotFoundError ||
    isShort(error);
}

/**
 * Tells errors of one object or its pack from a store that fails and from mistakes of this
 * program.
 *
 * @param error What was thrown while an object was read.
 * @returns Whether other objects can be read.
 */
export function isObjectFault(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof TypeError) return false;
  return !(error instanceof StoreError) || isShort(error);
}

/**
 * Tells whether a document cannot be read: a signal ends the reading of all.
 *
 * @param error What was thrown while it was read.
 * @returns Whether other documents can be read.
 */
export function isDocumentFault(error: unknown): boolean {
  return error instanceof SyntaxError || error instanceof StoreError ||
    error instanceof UnsupportedVersionError;
}

function isShort(error: unknown): boolean {
  return error instanceof StoreError && error.code === "SHORT";
}
