/**
 * Reads base64.
 *
 * @returns The bytes.
 * @throws {DOMException} If the text is none.
 */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0));
}
