import { type Hasher, ID_SIZE } from "@snap/hash";
import type { RecipeNode } from "@snap/pack/recipe";
import type { LargeBatch } from "../move/batch.ts";
import { joined } from "../protocol/sections.ts";

/**
 * Names what is hashed of a large object: the rows of the root over a span, and where
 * it begins in them. Spans of which nothing has changed have the name that they had.
 *
 * @param span The span.
 * @param root The root of the recipe.
 * @param hasher What hashes.
 * @returns 64 hex digits.
 */
export function spanKey(
  { kind, size, offset, length }: LargeBatch,
  root: RecipeNode,
  hasher: Hasher,
): string {
  const first = root.rowAt(offset), end = root.rowAt(offset + length - 1) + 1;
  const isWhole = length === size;
  const words: unknown[] = [kind, isWhole, offset, length, root.level];
  words.push(offset - root.start(first));
  for (let row = first; row < end; row++) {
    words.push(root.rowKind(row), root.size(row));
  }
  const ids = root.bytes.subarray(
    root.idStart(first),
    root.idStart(first) + ID_SIZE * (end - first),
  );
  const text = new TextEncoder().encode(`snap 1 span ${words.join(" ")} `);
  return hasher.idOf(joined([text, ids]));
}
