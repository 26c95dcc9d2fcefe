import { createHash } from "node:crypto";

/** Bytes that are hashed while they pass. */
export interface HashedBytes extends AsyncIterable<Uint8Array> {
  /**
   * Ends the hash.
   *
   * @returns The SHA-256 of what has passed, 64 hex digits, and how many bytes it was.
   */
  digest(): { readonly sha256: string; readonly byteCount: number };
}

/**
 * Hashes bytes while they pass.
 *
 * @param pieces The bytes, in pieces of any size.
 */
export function hashed(pieces: AsyncIterable<Uint8Array>): HashedBytes {
  const hash = createHash("sha256");
  let byteCount = 0;
  return {
    async *[Symbol.asyncIterator]() {
      for await (const piece of pieces) {
        hash.update(piece);
        byteCount += piece.length;
        yield piece;
      }
    },
    digest: () => ({ sha256: hash.digest("hex"), byteCount }),
  };
}
