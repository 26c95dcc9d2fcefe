import { VarintReader } from "../varint.ts";
import { FILE_SIZE_MAX, HOLE_SIZE_MIN } from "../limits.ts";
import { ManifestSyntaxError } from "../manifest_syntax_error.ts";

/**
 * Reads one canonical list of holes, and returns how many there are. With `out`, start
 * and size of each are put there.
 */
export function readHoles(
  bytes: Uint8Array,
  start: number,
  end: number,
  out?: Float64Array,
): number {
  const reader = new VarintReader(bytes, start, end);
  let holeEnd = 0;
  let count = 0;
  while (!reader.isAtEnd) {
    const at = reader.at;
    const gap = reader.read();
    const size = reader.read();
    if (gap === 0 && count > 0) {
      throw new ManifestSyntaxError(
        `Cannot read holes as they must not touch: hole ${count}`,
        at,
      );
    }
    if (size < HOLE_SIZE_MIN) {
      throw new ManifestSyntaxError(
        `Cannot read holes as each must have at least ${HOLE_SIZE_MIN} bytes: found ${size}`,
        at,
      );
    }
    if (holeEnd + gap + size > FILE_SIZE_MAX) {
      throw new ManifestSyntaxError(
        "Cannot read holes as they must end at most at 2^53 - 1",
        at,
      );
    }
    if (out !== undefined) {
      out[2 * count] = holeEnd + gap;
      out[2 * count + 1] = size;
    }
    holeEnd += gap + size;
    count++;
  }
  if (count === 0) {
    throw new ManifestSyntaxError(
      "Cannot read holes as a list must have one: found none",
      start,
    );
  }
  return count;
}
