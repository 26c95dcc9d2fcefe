import { type RecipeNode, RecipeRowKind } from "./recipe.ts";

/** From this part of a content on that is zeros, these count more than how fast the rest is hashed. */
export const SPARSE_PART = 0.8;

/**
 * Tells whether it is worth while to hash an object by a stream that knows zeros.
 *
 * @param root The root of its recipe.
 * @returns Whether most of it is zeros; false where the root alone does not tell.
 */
export function isMostlyZeros(root: RecipeNode): boolean {
  if (root.level > 0) return false;
  let zeros = 0;
  for (let row = 0; row < root.count; row++) {
    if (root.rowKind(row) === RecipeRowKind.zeros) zeros += root.size(row);
  }
  return zeros >= SPARSE_PART * root.plainSize;
}
