const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** The longest sequence of UTF-8 but for its last byte. */
const REST_MAX = 3;

/** Text at the beginning of some bytes. */
export interface CutText {
  /** The text; absent where the bytes are none. */
  readonly text: string | undefined;
  /** Bytes of it, or all. */
  readonly length: number;
}

/**
 * Reads bytes as UTF-8. A character that a range has cut off at its end is left for the next one.
 *
 * @param bytes The bytes.
 * @param isEnd Whether nothing follows.
 * @returns The text, if they are one without a NUL.
 */
export function cutText(bytes: Uint8Array, isEnd: boolean): CutText {
  if (bytes.includes(0)) return { text: undefined, length: bytes.length };
  for (let rest = 0; rest <= (isEnd ? 0 : REST_MAX); rest++) {
    const length = bytes.length - rest;
    if (length < 0 || length === 0 && rest > 0) break;
    try {
      return { text: decoder.decode(bytes.slice(0, length)), length };
    } catch {
      // One byte less may do.
    }
  }
  return { text: undefined, length: bytes.length };
}
