import { deepEqual, equal } from "node:assert/strict";
import { AttributePage, Tree } from "@snap/manifest";
import { EntryKind } from "@snap/manifest/extras";
import { LinkGroups } from "./link_groups.ts";
import {
  AttributePageBuilder,
  TreeBuilder,
} from "../../tests/_manifest_builders.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A directory of files `a`, `b`, ...: content, inode and link count of each. */
function directoryOf(
  rows: readonly (readonly [content: number, inode: number, nlink: number])[],
) {
  const builder = new TreeBuilder();
  const page = new AttributePageBuilder();
  const none = new Uint8Array(0);
  const owner = page.internOwner(0, 0, none, none);
  page.setOwner(page.addRow(), owner);
  rows.forEach(([content, inode, nlink], i) => {
    const row = builder.add(Uint8Array.of(97 + i), 0, 1, EntryKind.file);
    builder.setContent(row, 1, new Uint8Array(32).fill(content));
    const at = page.addRow();
    page.setOwner(at, owner);
    page.setInode(at, inode, 0, nlink, 0);
  });
  const tree = Tree.decode(builder.build());
  const path = encode("dir");
  return { tree, page: AttributePage.decode(page.build()), path };
}

Deno.test("LinkGroups finds the first name of files with one inode and content", () => {
  const directory = directoryOf([
    [1, 7, 3],
    [1, 8, 2],
    [1, 7, 3],
    [2, 7, 3],
    [1, 9, 1],
    [1, 7, 3],
    [1, 7, 3],
    [1, 0, 2],
    [1, 0, 2],
  ]);
  const groups = new LinkGroups();
  const found = Array.from({ length: 9 }, (_, row) => {
    const first = groups.first(directory, row);
    return first === undefined ? "" : String.fromCharCode(first.place.name[0]);
  });
  // The fourth name of three begins a new file; inode 0 is not known.
  deepEqual(found, ["", "", "a", "", "", "a", "", "", ""]);
});

Deno.test("LinkGroups takes a name for there only when it has arrived", () => {
  const directory = directoryOf([[1, 7, 3], [1, 7, 3], [1, 7, 3]]);
  const groups = new LinkGroups();
  groups.first(directory, 0);
  const group = groups.first(directory, 1)!;
  groups.arrive(directory.path, encode("b"), "written");
  groups.arrive(encode("other"), encode("a"), "written");
  equal(group.isThere, false);
  groups.begin(group, { directory: directory.path, name: encode("b") });
  groups.arrive(directory.path, encode("a"), "written");
  equal(group.isThere, false);
  groups.arrive(directory.path, encode("b"), "written");
  equal(groups.first(directory, 2), group);
  equal(group.isThere, true);
});

Deno.test("LinkGroups knows nothing without attributes", () => {
  const directory = { ...directoryOf([[1, 7, 2], [1, 7, 2]]), page: undefined };
  const groups = new LinkGroups();
  equal(groups.first(directory, 0), undefined);
  equal(groups.first(directory, 1), undefined);
});
