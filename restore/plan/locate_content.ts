import type { Tree } from "@snap/manifest";
import type { Location } from "@snap/pack";
import type { StoreReader } from "@snap/pack/read";

/**
 * Finds the content of a file, as long as that needs no wait.
 *
 * @returns Where it lies; nothing if it has none or is a recipe; `page` if something has to be
 *   read first.
 */
export function locateContent(
  reader: StoreReader,
  tree: Tree,
  row: number,
): Location | undefined | "page" {
  if (tree.size(row) === 0) return undefined;
  const answer = reader.index.contentNow(tree.bytes, tree.idStart(row));
  return answer === "recipe" ? undefined : answer ?? "page";
}
