/**
 * Recipes of large content: nodes, and how they are walked.
 *
 * @module
 */
export { isMostlyZeros } from "./mostly_zeros.ts";
export * from "./recipe.ts";
export * from "./recipe_place.ts";
export * from "./recipe_reader.ts";
