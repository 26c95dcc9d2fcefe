/**
 * One check for all that takes bytes: what is something else would be taken for bytes
 * without a word, and give a wrong id or an empty file.
 *
 * @module
 */
import { isBytes, typeName } from "./check_argument.ts";

/**
 * Checks that a value is bytes.
 *
 * @example
 * ```ts
 * import { checkBytes } from "@snap/hash";
 * import { throws } from "node:assert/strict";
 *
 * checkBytes(new Uint8Array(3), "content");
 * throws(() => checkBytes("text", "content"), TypeError);
 * ```
 *
 * @param name What to call it in the error.
 * @throws {TypeError} If it is no `Uint8Array`.
 */
export function checkBytes(
  value: unknown,
  name: string,
): asserts value is Uint8Array {
  if (isBytes(value)) return;
  throw new TypeError(
    `Cannot use ${typeName(value)} as ${name}: it is no Uint8Array`,
  );
}
