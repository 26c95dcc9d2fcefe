import { type RecipeNode, RecipeRowKind } from "./recipe.ts";
import { SPARSE_PART } from "./pass_hole.ts";

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
