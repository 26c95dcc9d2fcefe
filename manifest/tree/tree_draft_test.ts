import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { seededTest } from "../../tests/_prng.ts";
import { EntryKind } from "../entry_kind.ts";
import { joinPieces, MemoryBytes } from "../random_bytes.ts";
import { EMPTY_ID } from "../testdata/golden.ts";
import {
  buildTree,
  draftTree,
  randomEntries,
} from "../testdata/random_directory.ts";
import { TreeDraft } from "./tree_draft.ts";
import { WideTree } from "./wide_tree.ts";
import { Tree } from "./tree.ts";

const text = new TextEncoder();

seededTest(
  "TreeDraft gives the bytes of the plain builder, whatever is left out",
  (prng) => {
    const entries = randomEntries(prng, 100);
    const rate = prng.pick([1, 2, 20, 1e9]);
    const isKept = entries.map(() => prng.below(rate) > 0);
    const draft = draftTree(entries, isKept);
    const object = draft.finish();
    const expected = buildTree(entries.filter((_, i) => isKept[i]));
    strictEqual(object.size, expected.length);
    deepStrictEqual(joinPieces(object), expected);
    deepStrictEqual(joinPieces(object), expected, "once more");
  },
);

seededTest("WideTree reads what Tree reads", (prng) => {
  const bytes = buildTree(randomEntries(prng, 60));
  const tree = Tree.decode(bytes);
  const wide = WideTree.open(new MemoryBytes(bytes))!;
  strictEqual(wide.count, tree.count);
  strictEqual(
    wide.directoriesBefore(wide.count),
    tree.directoriesBefore(tree.count),
  );
  const other = prng.bytes(3);
  for (let row = 0; row < tree.count; row++) {
    deepStrictEqual(
      [wide.kind(row), wide.size(row)],
      [tree.kind(row), tree.size(row)],
    );
    deepStrictEqual([...wide.idBytes(row)], [...tree.idBytes(row)]);
    deepStrictEqual([...wide.target(row)], [...tree.target(row)]);
    const name = tree.name(row);
    strictEqual(wide.compareName(row, name, 0, name.length), 0);
    strictEqual(
      Math.sign(wide.compareName(row, other, 0, 3)),
      Math.sign(tree.compareName(row, other, 0, 3)),
    );
  }
});

Deno.test("WideTree is none where counts do not fit the bytes", () => {
  const bytes = buildTree([]);
  strictEqual(WideTree.open(new MemoryBytes(bytes))?.count, 0);
  strictEqual(WideTree.open(new MemoryBytes(bytes.subarray(1))), undefined);
  for (const at of [0, 4, 8, 12]) {
    const other = bytes.slice();
    other[at] ^= 1;
    strictEqual(WideTree.open(new MemoryBytes(other)), undefined);
  }
});

function draftOf(...names: string[]): TreeDraft {
  let end = 0;
  return new TreeDraft({
    rowsMax: names.length,
    names: text.encode(names.join("")),
    ends: Uint32Array.from(names, (name) => end += name.length),
  });
}

Deno.test("TreeDraft refuses names that no tree has", () => {
  for (const name of ["", ".", "..", "a/b", "a\0", "x".repeat(256)]) {
    const draft = draftOf(name);
    draft.add(EntryKind.fifo);
    throws(() => draft.finish(), /Cannot finish tree as a name must/);
  }
  for (const names of [["a", "a"], ["b", "a"], ["ab", "a"]]) {
    const draft = draftOf(...names);
    draft.add(EntryKind.fifo);
    draft.add(EntryKind.fifo);
    throws(() => draft.finish(), /is not above the one before/);
  }
  throws(() => draftOf().add(EntryKind.fifo), /its 0 rows are full/);
});

Deno.test("TreeDraft refuses rows that were never set, and values of other kinds", () => {
  const draft = draftOf("a", "b");
  const file = draft.add(EntryKind.file), link = draft.add(EntryKind.symlink);
  const id = new Uint8Array(32);
  throws(() => draft.finish(), /row 0 is not/);
  throws(() => draft.setContent(link, 1, id), RangeError);
  throws(() => draft.setContent(file, 0, id), /the id of nothing/);
  throws(() => draft.setContent(file, 1, EMPTY_ID), /the id of nothing/);
  throws(() => draft.setContent(file, -1, id), RangeError);
  throws(() => draft.setTree(file, id), RangeError);
  throws(() => draft.setDevice(file, 1, 2), RangeError);
  throws(() => draft.setTarget(file, id), RangeError);
  throws(() => draft.setTarget(link, new Uint8Array(0)), RangeError);
  throws(() => draft.setFileKind(link, EntryKind.file), RangeError);
  draft.setContent(file, 1, id);
  draft.setTarget(link, text.encode("a"));
  throws(() => draft.setTarget(link, text.encode("a")), RangeError);
  throws(() => draft.leaveOut(link), RangeError);
  draft.setFileKind(file, EntryKind.executable);
  strictEqual(draft.size(file), 1);
  strictEqual(Tree.decode(joinPieces(draft.finish())).kind(0), 2);
});
