import { type Id, idToBytes } from "@snap/hash";
import { ObjectKind } from "@snap/pack";
import type { StoreReader } from "@snap/pack/read";
import { decodeDirectory, type DirectoryBytes } from "./loaded_directory.ts";

/**
 * Reads tree and page of a root, and checks them.
 *
 * @throws {ManifestSyntaxError} If the bytes are damaged, or the page is that of another tree.
 */
export async function loadRoot(
  reader: StoreReader,
  root: { readonly tree: Id; readonly page: Id },
): Promise<DirectoryBytes> {
  const treeId = idToBytes(root.tree);
  const [treeBytes, pageBytes] = await Promise.all([
    reader.readObject(treeId, ObjectKind.tree),
    reader.readObject(idToBytes(root.page), ObjectKind.attributes),
  ]);
  decodeDirectory({ treeBytes, pageBytes }, { bytes: treeId, start: 0 });
  return { treeBytes, pageBytes };
}
