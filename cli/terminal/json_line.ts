/**
 * JSON lines: one object a line, `{"v":1,"type":…}`, as `docs/json.schema.json` says.
 *
 * @module
 */

import { escapeInvisible } from "@snap/manifest/path";

export { jsonPath, toBase64 } from "@snap/manifest/path";

/** The version of the schema, in every line. */
export const JSON_VERSION = 1;

/** One line, before its version is put in front. */
export interface JsonRecord {
  /** Kind of the line. */
  readonly type: string;
  readonly [field: string]: unknown;
}

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
