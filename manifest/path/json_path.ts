const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lossy = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Writes a name or path for JSON: text, and where it is not UTF-8 its bytes in
 * base64 beside it, as `pathBytes` for `path`.
 *
 * @example Bytes that are not UTF-8
 * ```ts
 * import { jsonPath } from "@snap/manifest/path";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * deepStrictEqual(jsonPath("path", Uint8Array.of(0x61, 0xff)), { path: "a\ufffd", pathBytes: "Yf8=" });
 * ```
 *
 * @param field Its name.
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

/**
 * Writes bytes as base64.
 *
 * @returns The text.
 */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return btoa(text);
}
