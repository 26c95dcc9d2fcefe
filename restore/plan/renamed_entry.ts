import { AttributePage, joinPieces, Tree } from "@snap/manifest";
import { DraftOwners, PageDraft, TreeDraft } from "@snap/manifest/draft";
import { EntryKind, isFileKind } from "@snap/manifest/extras";
import type { SnapshotDirectory } from "./read_directory.ts";

/**
 * Makes a directory that holds one entry of another one, under a name of its own.
 *
 * @returns The directory, of which row 0 is the entry.
 */
export function renamedEntry(
  { tree, page }: SnapshotDirectory,
  from: number,
  name: Uint8Array,
): SnapshotDirectory {
  const kind = tree.kind(from);
  const ends = Uint32Array.of(name.length);
  const draft = new TreeDraft({ rowsMax: 1, names: name, ends });
  const row = draft.add(kind);
  if (isFileKind(kind)) {
    draft.setContent(row, tree.size(from), tree.bytes, tree.idStart(from));
  } else if (kind === EntryKind.symlink) {
    draft.setTarget(row, tree.target(from));
  } else if (kind !== EntryKind.fifo) {
    draft.setDevice(row, tree.deviceMajor(from), tree.deviceMinor(from));
  }
  return {
    tree: Tree.decode(joinPieces(draft.finish())),
    page: page && pageOf(page, from, draft),
  };
}

/** The attributes of the directory, and those of the entry. */
function pageOf(
  page: AttributePage,
  from: number,
  tree: TreeDraft,
): AttributePage {
  const owners = new DraftOwners();
  const draft = new PageDraft(1);
  for (const [row, old] of [0, from + 1].entries()) {
    draft.setTimes(
      row,
      page.mtimeSec(old),
      page.mtimeNs(old),
      page.ctimeSec(old),
      page.ctimeNs(old),
    );
    draft.setInode(
      row,
      page.inodeLow(old),
      page.inodeHigh(old),
      page.nlink(old),
      page.device(old),
    );
    draft.setMode(row, page.mode(old));
    const names = [page.userName(old), page.groupName(old)] as const;
    draft.setOwner(row, owners.intern(page.uid(old), page.gid(old), ...names));
    const extras = page.extraRows === 0 ? undefined : page.extrasBytes(old);
    if (extras !== undefined) draft.setExtras(row, extras);
  }
  const { treeId } = page;
  const of = { tree, treeId, pageIds: undefined, owners };
  return AttributePage.decode(joinPieces(draft.finish(of)));
}
