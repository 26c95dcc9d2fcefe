/**
 * Ids: 64 lower-case hexadecimal digits in text, 32 bytes in formats.
 *
 * @module
 */

import { argumentError } from "./check_argument.ts";
import { checkBytes } from "./check_bytes.ts";

/** The name of bytes: their BLAKE3 as 64 lower-case hexadecimal digits. */
export type Id = string & { readonly __brand: "Id" };

/** Size of an id in bytes. */
export const ID_SIZE = 32;

const DIGITS = "0123456789abcdef";
const PAIRS: string[] = [];
for (const high of DIGITS) {
  for (const low of DIGITS) PAIRS.push(high + low);
}
const NOT_A_DIGIT = 255;
const VALUES = new Uint8Array(128).fill(NOT_A_DIGIT);
for (let value = 0; value < 16; value++) {
  VALUES[DIGITS.charCodeAt(value)] = value;
}

/**
 * Tells whether a text is an id.
 *
 * @returns `true` for 64 lower-case hexadecimal digits.
 */
export function isId(text: string): text is Id {
  if (text.length !== 2 * ID_SIZE) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127 || VALUES[code] === NOT_A_DIGIT) return false;
  }
  return true;
}

/**
 * Parses an id that a user or a file gave.
 *
 * @returns The same text, as an id.
 * @throws {TypeError} If `text` is no text.
 * @throws {SyntaxError} If `text` is not 64 lower-case hexadecimal digits.
 *
 * @example
 * ```ts
 * import { parseId } from "@snap/hash";
 *
 * const id = parseId("ab".repeat(32));
 * ```
 */
export function parseId(text: string): Id {
  if (typeof text !== "string") {
    throw argumentError({ text }, { action: "parse id", need: "a string" });
  }
  if (isId(text)) return text;
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  throw new SyntaxError(
    `Cannot parse id as it needs 64 lower-case hexadecimal digits: found ${
      JSON.stringify(shown)
    }`,
  );
}

/**
 * Writes 32 bytes as an id.
 *
 * @param bytes Where the id bytes are.
 * @param offset Where they begin in `bytes`.
 * @throws {RangeError} If fewer than 32 bytes follow `offset`.
 */
export function idFromBytes(bytes: Uint8Array, offset = 0): Id {
  checkBytes(bytes, "id");
  if (offset < 0 || !(offset + ID_SIZE <= bytes.length)) {
    throw new RangeError(
      `Cannot read id as it needs 32 bytes at ${offset}: found ${bytes.length} bytes in all`,
    );
  }
  let text = "";
  for (let i = offset; i < offset + ID_SIZE; i++) text += PAIRS[bytes[i]];
  return text as Id;
}

/**
 * Reads the 32 bytes of an id.
 *
 * @param id The id, or its bytes already.
 * @returns A new array of 32 bytes.
 * @throws {TypeError} If `id` is neither text nor bytes.
 * @throws {SyntaxError} If `id` is a text that only claims to be one.
 * @throws {RangeError} If `id` is not 32 bytes.
 */
export function idToBytes(id: Id | Uint8Array): Uint8Array<ArrayBuffer> {
  if (typeof id !== "string") return idBytes(id);
  parseId(id);
  const bytes = new Uint8Array(ID_SIZE);
  for (let i = 0; i < ID_SIZE; i++) {
    bytes[i] = VALUES[id.charCodeAt(2 * i)] << 4 |
      VALUES[id.charCodeAt(2 * i + 1)];
  }
  return bytes;
}

function idBytes(id: Uint8Array): Uint8Array<ArrayBuffer> {
  checkBytes(id, "id");
  if (id.length === ID_SIZE) return id.slice();
  throw new RangeError(
    `Cannot read id as it needs ${ID_SIZE} bytes: found ${id.length}`,
  );
}

/**
 * Tells whether two runs of bytes of one size are the same. The runs must lie
 * within their arrays.
 *
 * @param a Where the first run is.
 * @param aStart Where it begins.
 * @param b Where the second run is.
 * @param bStart Where it begins.
 * @param size Bytes in each run.
 * @returns `true` if no byte differs.
 */
export function equalBytes(
  a: Uint8Array,
  aStart: number,
  b: Uint8Array,
  bStart: number,
  size: number,
): boolean {
  checkBytes(a, "first run");
  checkBytes(b, "second run");
  for (let i = 0; i < size; i++) {
    if (a[aStart + i] !== b[bStart + i]) return false;
  }
  return true;
}

/**
 * Orders byte strings: by the first byte that differs, else the shorter first.
 *
 * @param a The first byte string.
 * @param b The second byte string.
 * @returns Below 0 if `a` comes first, above 0 if `b` does, 0 if they are equal.
 */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  checkBytes(a, "first string");
  checkBytes(b, "second string");
  const size = Math.min(a.length, b.length);
  for (let i = 0; i < size; i++) {
    if (a[i] !== b[i]) return a[i] - b[i];
  }
  return a.length - b.length;
}
