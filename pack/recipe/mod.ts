/**
 * Recipes of large content: nodes, and how they are walked.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
export { isMostlyZeros } from "./mostly_zeros.ts";
export {
  RecipeNode,
  type RecipeRoot,
  RecipeRowKind,
  RecipeSyntaxError,
} from "./recipe.ts";
export { checkRecipeChild, checkRecipeRoot } from "./recipe_place.ts";
export * from "./recipe_reader.ts";
