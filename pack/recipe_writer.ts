/**
 * Recipes of large content as they are made, and holes that are passed on the way.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
export { SPARSE_PART } from "./recipe/mostly_zeros.ts";
export * from "./recipe/pass_hole.ts";
export * from "./recipe/recipe_builder.ts";
export * from "./recipe/zeros.ts";
