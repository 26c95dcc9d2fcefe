import {
  ATTRIBUTES_CONTEXT,
  type HashContext,
  RECIPE_CONTEXT,
  TREE_CONTEXT,
} from "./hasher.ts";

/** Every context, in the order of the kernel's keys. */
export const CONTEXTS: readonly HashContext[] = [
  TREE_CONTEXT,
  ATTRIBUTES_CONTEXT,
  RECIPE_CONTEXT,
];

/**
 * Numbers a context, so that a caller without types gets no hash of another.
 *
 * @throws {RangeError} If it is none of them.
 */
export function contextNumber(context: HashContext): number {
  if (context === TREE_CONTEXT) return 0;
  if (context === ATTRIBUTES_CONTEXT) return 1;
  if (context === RECIPE_CONTEXT) return 2;
  throw new RangeError(
    `Cannot hash under a context that is none of ${
      JSON.stringify(CONTEXTS)
    }: received ${JSON.stringify(context)}`,
  );
}
