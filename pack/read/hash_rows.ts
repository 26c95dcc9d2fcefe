import type { HashStream } from "@snap/hash";
import type { Pacer } from "@snap/posix/pacer";
import type { RecipeRow } from "./recipe_rows.ts";

/** Options of {@linkcode hashRows}. */
export interface HashRowsOptions {
  /** Pacer that gives the event loop its turns. */
  readonly pacer: Pacer;
  /** Takes each chunk, and where it begins in the object. */
  readonly take?:
    | ((chunk: Uint8Array, offset: number) => void | Promise<void>)
    | undefined;
}

/**
 * Hashes an object by the rows of its recipe.
 *
 * @param rows The rows, in order
 * @param hash What hashes the object
 * @param options What paces it, what takes the chunks
 */
export async function hashRows(
  rows: AsyncIterable<RecipeRow>,
  hash: HashStream,
  options: HashRowsOptions,
): Promise<void> {
  const { pacer, take } = options;
  for await (const { bytes, offset, size } of rows) {
    if (bytes === undefined) {
      await hashZeros(size, hash, pacer);
      continue;
    }
    const chunk = await bytes;
    hash.update(chunk);
    await take?.(chunk, offset);
    await pacer.yield(chunk.length);
  }
}

/**
 * Hashes a run of zeros.
 *
 * @param size Its size in bytes
 * @param hash What hashes the object
 * @param pacer What gives the event loop its turns
 */
export async function hashZeros(
  size: number,
  hash: HashStream,
  pacer: Pacer,
): Promise<void> {
  for (let left = size; left > 0;) {
    left -= hash.updateZeros(left);
    const turn = pacer.yield();
    if (turn !== undefined) await turn;
  }
}
