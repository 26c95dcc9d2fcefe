import { decodeBase64 } from "./base64.ts";
import { ID_SIZE } from "./id.ts";
import { ZERO_SUBTREE_BLOCKS, ZERO_VALUES } from "./zero_values.ts";

export { ZERO_SUBTREE_BLOCKS };

let values: Uint8Array | undefined;

/**
 * Gives the chaining value of {@linkcode ZERO_SUBTREE_BLOCKS} blocks of zeros in
 * content. BLAKE3 counts its chunks, so that it is another one at each place.
 *
 * @returns The value, unless this is no border or so far back that none is known.
 */
export function zeroSubtree(blockCount: number): Uint8Array | undefined {
  if (blockCount % ZERO_SUBTREE_BLOCKS !== 0) return undefined;
  values ??= decodeBase64(ZERO_VALUES);
  const start = blockCount / ZERO_SUBTREE_BLOCKS * ID_SIZE;
  return start < values.length
    ? values.subarray(start, start + ID_SIZE)
    : undefined;
}
