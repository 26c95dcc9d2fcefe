import type { Tree } from "@snap/manifest/tree";
import { isPageRequest, type Location } from "@snap/pack/location";
import { ObjectKind } from "@snap/pack/object-kind";
import type { StoreReader } from "@snap/pack/store-reader";

/**
 * Finds the content of a file, as long as that needs no wait.
 *
 * @param reader The objects of the store.
 * @param tree The tree of the file.
 * @param row Its row.
 * @returns Where it lies; nothing if it has none or is a recipe; `page` if a page of the index has
 *   to be read first.
 */
export function locateContent(
  reader: StoreReader,
  tree: Tree,
  row: number,
): Location | undefined | "page" {
  if (tree.size(row) === 0) return undefined;
  const { index } = reader.index;
  const { content } = ObjectKind;
  const answer = index.locate(tree.bytes, tree.idStart(row), content);
  return isPageRequest(answer) ? "page" : answer;
}
