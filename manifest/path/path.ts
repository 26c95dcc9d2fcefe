/**
 * Paths as bytes, and their text.
 *
 * A path is names joined by `/`, relative to a root, whose own path is empty.
 *
 * @module
 */
import { checkBytes } from "@snap/hash";
import { ManifestSyntaxError } from "../manifest_syntax_error.ts";

const SLASH = 0x2f;
const PERCENT = 0x25;
const HEX = "0123456789ABCDEF";
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
/** Invisible characters, but for the selectors of a variant, without which many a pictogram is another one. */
const INVISIBLE =
  /[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]--[\uFE00-\uFE0F]]/gv;

/**
 * Joins a path and a name.
 *
 * @param path The path of a directory; empty for the root.
 * @param name The name, or a path below that directory.
 * @returns New bytes.
 */
export function joinPath(path: Uint8Array, name: Uint8Array): Uint8Array {
  checkBytes(path, "path");
  checkBytes(name, "name");
  if (path.length === 0) return name.slice();
  const joined = new Uint8Array(path.length + 1 + name.length);
  joined.set(path);
  joined[path.length] = SLASH;
  joined.set(name, path.length + 1);
  return joined;
}

/**
 * Splits a path into names. Empty names, as `//` or a slash at either end would
 * leave, are dropped; `.` and `..` are names like others and found in no tree.
 *
 * @returns Views of its names; none for the root.
 */
export function splitPath(path: Uint8Array): Uint8Array[] {
  checkBytes(path, "path");
  const names: Uint8Array[] = [];
  let start = 0;
  for (let at = 0; at <= path.length; at++) {
    if (at < path.length && path[at] !== SLASH) continue;
    if (at > start) names.push(path.subarray(start, at));
    start = at + 1;
  }
  return names;
}

/** Returns the size of the UTF-8 sequence at `at`, or 0 when there is none. */
function sequenceSize(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at];
  if (first < 0x80) return 1;
  const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + size > end) return 0;
  const second = bytes[at + 1];
  const secondMin = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const secondMax = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < secondMin || second > secondMax) return 0;
  for (let next = at + 2; next < at + size; next++) {
    if ((bytes[next] & 0xc0) !== 0x80) return 0;
  }
  return size;
}

function isEscaped(byte: number): boolean {
  return byte === PERCENT || byte < 0x20 || byte === 0x7f;
}

function escapeByte(byte: number): string {
  return `%${HEX[byte >> 4]}${HEX[byte & 15]}`;
}

/**
 * Writes bytes as text, in the one way that documents of a store use: `%`, control
 * characters below 0x20, 0x7f, and what is not UTF-8 become `%` and two digits.
 *
 * @returns The text; {@linkcode parsePath} reads it.
 */
export function pathToText(bytes: Uint8Array): string {
  checkBytes(bytes, "path");
  let text = "";
  let plain = 0;
  for (let at = 0; at < bytes.length;) {
    const size = sequenceSize(bytes, at, bytes.length);
    if (size > 1 || (size === 1 && !isEscaped(bytes[at]))) {
      at += size;
      continue;
    }
    if (at > plain) text += decoder.decode(bytes.slice(plain, at));
    text += escapeByte(bytes[at++]);
    plain = at;
  }
  return plain < bytes.length
    ? text + decoder.decode(bytes.slice(plain))
    : text;
}

/**
 * Escapes what acts on a terminal, or makes two texts look alike, without being seen: control
 * characters, marks of direction, and what takes no room, such as a zero-width space. Those that
 * only choose between two looks of the character before them stay.
 *
 * @example Show what somebody else wrote
 * ```ts
 * import { escapeInvisible } from "@snap/manifest/path";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(escapeInvisible("100% \u202Etxt.exe"), "100% %E2%80%AEtxt.exe");
 * ```
 *
 * @param escape Writes such a character; if absent, as `%` and two digits for each byte.
 * @returns The text without such characters.
 */
export function escapeInvisible(
  text: string,
  escape: (character: string) => string = escapeCharacter,
): string {
  return text.replace(INVISIBLE, escape);
}

function escapeCharacter(character: string): string {
  return Array.from(encoder.encode(character), escapeByte).join("");
}

/**
 * Writes bytes as text for people: as {@linkcode pathToText}, and all else that acts
 * on a terminal without being seen is escaped too.
 *
 * @example Show a path and read it back
 * ```ts
 * import { displayPath, parsePath } from "@snap/manifest/path";
 * import { deepStrictEqual, strictEqual } from "node:assert/strict";
 *
 * const path = Uint8Array.of(0x61, 0x2f, 0xff, 0x0a);
 * strictEqual(displayPath(path), "a/%FF%0A");
 * deepStrictEqual(parsePath("a/%FF%0A"), path);
 * ```
 *
 * @returns The text; {@linkcode parsePath} reads it.
 */
export function displayPath(bytes: Uint8Array): string {
  checkBytes(bytes, "path");
  return escapeInvisible(pathToText(bytes));
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  return byte >= 0x41 && byte <= 0x46 ? byte - 0x37 : -1;
}

/**
 * Reads what {@linkcode displayPath} or {@linkcode pathToText} wrote.
 *
 * @throws {ManifestSyntaxError} If a `%` is not followed by two upper-case hexadecimal digits, or a surrogate stands alone.
 */
export function parsePath(text: string): Uint8Array {
  const bytes = encoder.encode(text);
  if (!text.isWellFormed()) {
    throw new ManifestSyntaxError(
      "Cannot read path as a surrogate must not stand alone",
      0,
    );
  }
  let write = 0;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] !== PERCENT) {
      bytes[write++] = bytes[at];
      continue;
    }
    const high = at + 2 < bytes.length ? hexDigit(bytes[at + 1]) : -1;
    const low = at + 2 < bytes.length ? hexDigit(bytes[at + 2]) : -1;
    if (high < 0 || low < 0) {
      throw new ManifestSyntaxError(
        "Cannot read path as % must be followed by two upper-case hexadecimal digits",
        at,
      );
    }
    bytes[write++] = high * 16 + low;
    at += 2;
  }
  return bytes.subarray(0, write);
}
