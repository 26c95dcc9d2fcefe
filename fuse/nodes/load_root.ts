import { type Id, idToBytes } from "@snap/hash";
import { AttributePage, Tree } from "@snap/manifest";
import { ManifestSyntaxError } from "@snap/manifest/extras";
import { ObjectKind } from "@snap/pack";
import type { StoreReader } from "@snap/pack/read";
import type { RootBytes } from "../catalog/catalog_volumes.ts";

/**
 * Reads tree and page of a root, and checks them.
 *
 * @param reader What reads objects.
 * @param root The ids of both.
 * @throws {ManifestSyntaxError} If the bytes are damaged, or the page is that of another tree.
 */
export async function loadRoot(
  reader: StoreReader,
  root: { readonly tree: Id; readonly page: Id },
): Promise<RootBytes> {
  const treeId = idToBytes(root.tree);
  const [treeBytes, pageBytes] = await Promise.all([
    reader.readObject(treeId, ObjectKind.tree),
    reader.readObject(idToBytes(root.page), ObjectKind.attributes),
  ]);
  const tree = Tree.decode(treeBytes);
  if (AttributePage.decode(pageBytes).belongsTo(tree, treeId)) {
    return { treeBytes, pageBytes };
  }
  throw new ManifestSyntaxError(
    `Cannot read attribute page ${root.page} as it must belong to tree ${root.tree}`,
    32,
  );
}
