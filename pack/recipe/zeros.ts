/**
 * Tells whether bytes are all zero.
 *
 * @returns Whether none of them is set.
 */
export function isZeros(bytes: Uint8Array): boolean {
  // Most content ends here.
  if (bytes[0] !== 0) return bytes.length === 0;
  let start = 0;
  const end = bytes.length;
  while (start < end && ((bytes.byteOffset + start) & 3) !== 0) {
    if (bytes[start++] !== 0) return false;
  }
  const words = new Uint32Array(
    bytes.buffer,
    bytes.byteOffset + start,
    (end - start) >> 2,
  );
  for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false;
  for (let i = start + words.length * 4; i < end; i++) {
    if (bytes[i] !== 0) return false;
  }
  return true;
}
