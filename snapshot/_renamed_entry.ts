import { AttributePage } from "@snap/manifest/attribute-page";
import { AttributePageBuilder } from "@snap/manifest/attribute-page-builder";
import { EntryKind, isFileKind } from "@snap/manifest/entry-kind";
import { Tree } from "@snap/manifest/tree";
import { TreeBuilder } from "@snap/manifest/tree-builder";
import type { SnapshotDirectory } from "./_read_directory.ts";

/**
 * Makes a directory that holds one entry of another one, under a name of its own.
 *
 * @param home The other directory.
 * @param from The row of the entry there; it is no directory.
 * @param name The name.
 * @returns The directory, of which row 0 is the entry.
 */
export function renamedEntry(
  { tree, page }: SnapshotDirectory,
  from: number,
  name: Uint8Array,
): SnapshotDirectory {
  const kind = tree.kind(from);
  const trees = new TreeBuilder();
  const row = trees.add(name, 0, name.length, kind);
  if (isFileKind(kind)) {
    trees.setContent(row, tree.size(from), tree.bytes, tree.idStart(from));
  } else if (kind === EntryKind.symlink) {
    trees.setTarget(row, tree.target(from));
  } else if (kind !== EntryKind.fifo) {
    trees.setDevice(row, tree.deviceMajor(from), tree.deviceMinor(from));
  }
  return {
    tree: Tree.decode(trees.build()),
    page: page && pageOf(page, from),
  };
}

/** The attributes of the directory, and those of the entry. */
function pageOf(page: AttributePage, from: number): AttributePage {
  const pages = new AttributePageBuilder();
  pages.setTreeId(page.treeId);
  pages.copyRow(page, 0);
  pages.copyRow(page, from + 1);
  return AttributePage.decode(pages.build());
}
