/**
 * Writes bytes as text. Not for hot paths.
 *
 * @returns Two lower-case hexadecimal digits for each.
 */
export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}
