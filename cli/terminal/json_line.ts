/**
 * JSON lines: one object a line, `{"v":1,"type":…}`, as `docs/json.schema.json` says.
 *
 * @module
 */

import { escapeInvisible } from "@snap/manifest/path";

/** The version of the schema, in every line. */
export const JSON_VERSION = 1;

/** One line, before its version is put in front. */
export interface JsonRecord {
  /** Kind of the line. */
  readonly type: string;
  readonly [field: string]: unknown;
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lossy = new TextDecoder("utf-8", { ignoreBOM: true });

/** Writes a line. */
export function jsonLine(record: JsonRecord): string {
  const text = JSON.stringify({ v: JSON_VERSION, ...record });
  return `${escapeInvisible(text, escapeUnits)}\n`;
}

/** Escapes a character as JSON does: it then acts on no terminal, and nothing is lost. */
function escapeUnits(character: string): string {
  return character.split("").map((unit) =>
    `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
  ).join("");
}

/**
 * Writes a name or path for JSON: text, and where it is not UTF-8 its bytes in
 * base64 beside it, as `pathBytes` for `path`.
 *
 * @example Bytes that are not UTF-8
 * ```ts
 * import { jsonPath } from "./json_line.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * deepStrictEqual(jsonPath("path", Uint8Array.of(0x61, 0xff)), { path: "a\ufffd", pathBytes: "Yf8=" });
 * ```
 *
 * @returns One field or two.
 */
export function jsonPath(
  field: string,
  bytes: Uint8Array,
): Record<string, string> {
  try {
    return { [field]: strict.decode(bytes) };
  } catch {
    return {
      [field]: lossy.decode(bytes),
      [`${field}Bytes`]: toBase64(bytes),
    };
  }
}

/** Writes bytes as base64. */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return btoa(text);
}
