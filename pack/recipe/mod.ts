/**
 * Recipes of large content: nodes, how they are made and walked.
 *
 * @module
 */
export * from "./mostly_zeros.ts";
export * from "./pass_hole.ts";
export * from "./recipe.ts";
export * from "./recipe_builder.ts";
export * from "./recipe_place.ts";
export * from "./recipe_reader.ts";
