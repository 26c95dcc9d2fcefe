import type { RandomBytes } from "./random_bytes.ts";

/** Copies a run of bytes; nothing where it does not lie within them. */
export function copyOf(
  bytes: RandomBytes,
  start: number,
  end: number,
): Uint8Array {
  if (end < start || end > bytes.size) return new Uint8Array(0);
  const copy = new Uint8Array(end - start);
  let at = 0;
  for (const piece of bytes.pieces(start, end)) {
    copy.set(piece, at);
    at += piece.length;
  }
  return copy;
}
