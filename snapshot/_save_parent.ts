import { AttributePage } from "@snap/manifest/attribute-page";
import { Tree } from "@snap/manifest/tree";
import { idToBytes } from "@snap/hash";
import { DamageError, ObjectNotFoundError } from "@snap/pack/errors";
import { ObjectKind } from "@snap/pack/object-kind";
import type { StoreReader } from "@snap/pack/store-reader";
import { ParentDirectory } from "./_parent_directory.ts";
import type { ParentChild } from "./_save_walk.ts";
import type { SnapshotRecord } from "./record.ts";

/**
 * Opens the root of the snapshot before.
 *
 * @param reader The objects of its store.
 * @param record Its record.
 * @returns The directory, or `undefined` if it cannot be read.
 */
export function openParentRoot(
  reader: StoreReader,
  record: SnapshotRecord,
): Promise<ParentDirectory | undefined> {
  const ids = new Uint8Array(64);
  ids.set(idToBytes(record.tree));
  ids.set(idToBytes(record.page), 32);
  return read(reader, ids);
}

/**
 * Opens a sub-directory of the snapshot before.
 *
 * @param reader The objects of its store.
 * @param directory The directory above.
 * @param child Where it stands there.
 * @returns The directory, or `undefined` if it cannot be read.
 */
export function openParentChild(
  reader: StoreReader,
  directory: ParentDirectory,
  child: ParentChild,
): Promise<ParentDirectory | undefined> {
  const ids = new Uint8Array(64);
  ids.set(directory.tree.idBytes(child.row));
  ids.set(directory.page.pageIdBytes(child.number), 32);
  return read(reader, ids);
}

/** What is damaged or gone is read from the disk again: that heals it. */
async function read(
  reader: StoreReader,
  ids: Uint8Array,
): Promise<ParentDirectory | undefined> {
  try {
    const treeBytes = await reader.readObject(
      ids.subarray(0, 32),
      ObjectKind.tree,
    );
    const tree = Tree.decode(treeBytes);
    const pageBytes = await reader.readObject(
      ids.subarray(32),
      ObjectKind.attributes,
    );
    const page = AttributePage.decode(pageBytes);
    if (!page.belongsTo(tree, ids)) return undefined;
    return new ParentDirectory(ids, tree, page);
  } catch (error) {
    if (
      error instanceof DamageError || error instanceof ObjectNotFoundError ||
      error instanceof SyntaxError
    ) return undefined;
    throw error;
  }
}
