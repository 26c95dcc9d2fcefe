import type { AttributePage, Tree } from "@snap/manifest";
import type { EntryKind } from "@snap/manifest/extras";

/**
 * One node of a mount: a row of a tree and of the page beside it. A cursor is
 * filled again and again, so that looking at a node makes no object.
 */
export class NodeCursor {
  /** Lower 32 bits of the node id; the upper are 0. */
  id = 0;
  /** Number of the volume, used once: 0 in a mount of one snapshot. */
  volume = 0;
  /** Tree of the directory that has the node; its own for the root of a volume. */
  tree!: Tree;
  /** Page beside the tree. Attributes of the node are its row `row + 1`. */
  page!: AttributePage;
  /** Row in the tree; -1 for the root of a volume. */
  row = 0;
  /** Kind of the node. */
  kind: EntryKind = 1;
}

/** A directory whose entries can be read. */
export interface OpenDirectory {
  /** Its entries. */
  readonly tree: Tree;
  /** Their attributes. */
  readonly page: AttributePage;
  /** Lower 32 bits of its node id. */
  readonly id: number;
  /** Lower 32 bits of the node id of the directory that has it; its own for the root of a volume. */
  readonly parentId: number;
  /**
   * Node id of an entry.
   *
   * @returns The lower 32 bits; the upper are 0.
   */
  nodeId(row: number): number;
}
