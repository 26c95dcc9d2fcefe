/**
 * Names in a store, and how the name of a tag becomes a part of one.
 *
 * @module
 */

/** Longest name in a store in characters: what S3 takes. */
export const STORE_NAME_SIZE_MAX = 1024;
/** Longest name of a tag in characters: escaped, it fits a segment. */
export const TAG_NAME_SIZE_MAX = 64;

const SEGMENT = /^[a-z0-9_%-][a-z0-9._%-]{0,199}$/;
const TAG = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?$/;
const ID_LIKE = /^[0-9a-f]{8,}$/i;

/**
 * Says whether a text can be a name in a store: segments joined by `/`, each 1
 * to 200 of `a-z 0-9 . _ - %`, not beginning with a dot. Names below `tmp/` are
 * left to file stores.
 *
 * @returns True if it can.
 */
export function isStoreName(name: string): boolean {
  if (name.length > STORE_NAME_SIZE_MAX) return false;
  const segments = name.split("/");
  return segments[0] !== "tmp" &&
    segments.every((segment) => SEGMENT.test(segment));
}

/**
 * Refuses what cannot be a name in a store.
 *
 * @example Names cannot leave the store
 * ```ts
 * import { checkStoreName } from "@snap/store";
 * import { throws } from "node:assert/strict";
 *
 * checkStoreName("tags/main/1");
 * throws(() => checkStoreName("tags/../1"), RangeError);
 * ```
 *
 * @throws {RangeError} If it is no name.
 */
export function checkStoreName(name: string): void {
  if (isStoreName(name)) return;
  throw new RangeError(
    `Cannot use store name ${
      JSON.stringify(name)
    }: its segments are 1 to 200 of a-z 0-9 . _ - %`,
  );
}

/**
 * Refuses what no name in a store can begin with.
 *
 * @param prefix Any text. The empty one is the prefix of all names.
 * @throws {RangeError} If no name begins with it.
 */
export function checkStorePrefix(prefix: string): void {
  if (
    prefix === "" ||
    isStoreName(prefix.endsWith("/") ? prefix.slice(0, -1) : prefix)
  ) return;
  throw new RangeError(
    `Cannot use store prefix ${JSON.stringify(prefix)}: no name begins so`,
  );
}

/**
 * Refuses what cannot be the name of a tag: 1 to 64 of `A-Z a-z 0-9 . _ -`,
 * beginning with a letter, a digit or `_`, and not ending with a dot. What reads
 * as an id (8 and more hex digits) and `latest` are no names either.
 *
 * @throws {RangeError} If it is no name of a tag.
 */
export function checkTagName(tag: string): void {
  const found = `found ${JSON.stringify(tag)}`;
  if (tag.length > TAG_NAME_SIZE_MAX || !TAG.test(tag)) {
    throw new RangeError(
      `Cannot use tag name ${found}: it needs 1 to ${TAG_NAME_SIZE_MAX} of A-Z a-z 0-9 . _ -, and no . or - at its beginning`,
    );
  }
  if (ID_LIKE.test(tag)) {
    throw new RangeError(
      `Cannot use tag name ${found}: it reads as an id`,
    );
  }
  if (tag.toLowerCase() === "latest") {
    throw new RangeError(
      `Cannot use tag name ${found}: it stands for the newest snapshot`,
    );
  }
}

/**
 * Writes the name of a tag as one segment of a store name. Capitals become `%`
 * and two hex digits, so that no two tags are one on a disk that folds case.
 *
 * @example Main is not main
 * ```ts
 * import { escapeTagName } from "@snap/store";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(escapeTagName("main"), "main");
 * strictEqual(escapeTagName("Main"), "%4dain");
 * ```
 *
 * @returns The segment.
 * @throws {RangeError} If it is no name of a tag.
 */
export function escapeTagName(tag: string): string {
  checkTagName(tag);
  return tag.replace(
    /[A-Z]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16)}`,
  );
}

/**
 * Reads the name of a tag back.
 *
 * @param segment One segment of a store name.
 * @returns The name, or undefined if {@link escapeTagName} does not write this segment.
 */
export function unescapeTagName(segment: string): string | undefined {
  const tag = segment.replace(
    /%([45][0-9a-f])/g,
    (_, hex) => String.fromCharCode(parseInt(hex, 16)),
  );
  try {
    return escapeTagName(tag) === segment ? tag : undefined;
  } catch {
    return undefined;
  }
}
