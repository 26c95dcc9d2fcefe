/**
 * The kinds of objects.
 *
 * @module
 */

/** Numbers of the kinds of objects, as they stand in packs and indexes. */
export const ObjectKind = {
  /** Content of a file, or a chunk of a large object. */
  content: 1,
  /** Node of a recipe. */
  recipe: 2,
  /** Tree: one directory's entries. */
  tree: 3,
  /** Attribute page. */
  attributes: 4,
} as const;

/** Number of a kind of objects. */
export type ObjectKind = (typeof ObjectKind)[keyof typeof ObjectKind];

const NAMES = ["", "content", "recipe", "tree", "attributes"] as const;

/**
 * Names a kind, for messages.
 *
 * @param kind Number of the kind
 * @returns Its name, or `kind 9` where there is none
 */
export function objectKindName(kind: number): string {
  return NAMES[kind] || `kind ${kind}`;
}

/** Roles of packs. */
export const PackRole = {
  /** Content of files. */
  data: 1,
  /** Trees, attribute pages, recipes, and the chunks of trees and pages. */
  trees: 2,
} as const;

/** Role of a pack. */
export type PackRole = (typeof PackRole)[keyof typeof PackRole];
