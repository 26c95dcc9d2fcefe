/**
 * Rules of names and link targets.
 *
 * @module
 */
import { checkBytes } from "@snap/hash";
import { NAME_SIZE_MAX, TARGET_SIZE_MAX } from "../limits.ts";

const SLASH = 0x2f;
const DOT = 0x2e;

/**
 * Checks that bytes are the name of one entry: 1 to 255 bytes, without NUL and
 * `/`, not `.` and not `..`.
 *
 * @example Check a name
 * ```ts
 * import { checkName } from "@snap/manifest/path";
 * import { strictEqual } from "node:assert/strict";
 *
 * const bytes = new TextEncoder().encode("a/..");
 * strictEqual(checkName(bytes, 0, 1), undefined);
 * strictEqual(checkName(bytes, 0, 2), "a name must not contain a slash");
 * strictEqual(checkName(bytes, 2, 4), 'a name must not be "." or ".."');
 * ```
 *
 * @param bytes Where the name is.
 * @param start Its first byte.
 * @param end One past its last byte.
 * @returns What is wrong with it, or `undefined` when nothing is.
 */
export function checkName(
  bytes: Uint8Array,
  start: number,
  end: number,
): string | undefined {
  checkBytes(bytes, "name");
  const size = end - start;
  if (size < 1 || size > NAME_SIZE_MAX) {
    return `a name must have 1 to ${NAME_SIZE_MAX} bytes`;
  }
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === 0) return "a name must not contain NUL";
    if (byte === SLASH) return "a name must not contain a slash";
  }
  if (
    bytes[start] === DOT &&
    (size === 1 || (size === 2 && bytes[start + 1] === DOT))
  ) {
    return 'a name must not be "." or ".."';
  }
  return undefined;
}

/**
 * Checks that bytes are the target of a symbolic link: 1 to 4095 bytes without
 * NUL. A target may point anywhere, and nothing here follows it.
 *
 * @param bytes Where the target is.
 * @param start Its first byte.
 * @param end One past its last byte.
 * @returns What is wrong with it, or `undefined` when nothing is.
 */
export function checkTarget(
  bytes: Uint8Array,
  start: number,
  end: number,
): string | undefined {
  checkBytes(bytes, "target");
  const size = end - start;
  if (size < 1 || size > TARGET_SIZE_MAX) {
    return `a target must have 1 to ${TARGET_SIZE_MAX} bytes`;
  }
  for (let at = start; at < end; at++) {
    if (bytes[at] === 0) return "a target must not contain NUL";
  }
  return undefined;
}
