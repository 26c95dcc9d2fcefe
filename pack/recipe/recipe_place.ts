/**
 * Checks nodes of recipes against what is above them.
 *
 * @module
 */
import { type RecipeNode, RecipeSyntaxError } from "./recipe.ts";

/**
 * Checks that a node is the root of an object's recipe.
 *
 * @param node The node.
 * @param kind Number of the object's kind.
 * @throws {RecipeSyntaxError} If it is no root, or one of another kind.
 */
export function checkRecipeRoot(node: RecipeNode, kind: number): void {
  checkRecipeNode("a recipe begins with its root", node.isRoot, 5, node);
  const isOfKind = node.objectKind === kind;
  checkRecipeNode(`the object has kind ${kind}`, isOfKind, 6, node);
}

/**
 * Checks that a node is what a row of the node above says.
 *
 * @param node The node.
 * @param parent The node above, not of level 0.
 * @param row The row.
 * @throws {RecipeSyntaxError} If it is a root, or has another level or size.
 */
export function checkRecipeChild(
  node: RecipeNode,
  parent: RecipeNode,
  row: number,
): void {
  const { level } = parent;
  const size = parent.size(row);
  const isBelow = node.level === level - 1;
  const hasSize = node.plainSize === size;
  checkRecipeNode("a recipe has one root", !node.isRoot, 5, node);
  checkRecipeNode(`it is one level below ${level}`, isBelow, 4, node);
  checkRecipeNode(`the row above has ${size} bytes`, hasSize, 16, node);
}

/**
 * Refuses a node that does not meet a need.
 *
 * @param need What it needs, as the message says it.
 * @param isMet Whether it does.
 * @param offset Offset in the node of what does not.
 * @param node The node.
 * @throws {RecipeSyntaxError} If the need is not met.
 */
export function checkRecipeNode(
  need: string,
  isMet: boolean,
  offset: number,
  node: RecipeNode,
): void {
  if (isMet) return;
  throw new RecipeSyntaxError(
    `Cannot read recipe node as ${need}: found level ${node.level}, kind ${node.objectKind}, ${node.plainSize} bytes`,
    offset,
  );
}
