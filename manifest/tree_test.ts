import {
  deepStrictEqual,
  notStrictEqual,
  ok,
  strictEqual,
  throws,
} from "node:assert/strict";
import { AttributePage } from "./attribute_page.ts";
import { AttributePageBuilder } from "./attribute_page_builder.ts";
import { EntryKind } from "./entry_kind.ts";
import {
  ABC_ID,
  COUNTING_ID,
  EMPTY_ID,
  GOLDEN_TREE,
  utf8,
} from "./testdata/golden.ts";
import { Tree } from "./tree.ts";
import { TreeBuilder } from "./tree_builder.ts";

function buildGolden(): Uint8Array {
  const names = Uint8Array.of(...utf8("adelpz"), 0xff);
  const builder = new TreeBuilder();
  const kinds = [1, 3, 2, 4, 5, 6, 7] as const;
  kinds.forEach((kind, row) => builder.add(names, row, row + 1, kind));
  builder.setDevice(6, 8, 1);
  builder.setDevice(5, 1, 3);
  builder.setTarget(3, utf8("../x"));
  builder.setContent(2, 0, EMPTY_ID);
  builder.setTree(1, COUNTING_ID);
  builder.setContent(0, 3, ABC_ID);
  return builder.build();
}

Deno.test("TreeBuilder writes the golden bytes", () => {
  deepStrictEqual(buildGolden(), GOLDEN_TREE);
});

Deno.test("Tree reads every field of the golden bytes", () => {
  const tree = Tree.decode(GOLDEN_TREE);
  const rows = Array.from({ length: tree.count }, (_, row) => row);
  strictEqual(tree.count, 7);
  deepStrictEqual(rows.map((row) => tree.kind(row)), [1, 3, 2, 4, 5, 6, 7]);
  deepStrictEqual(rows.map((row) => tree.size(row)), [3, 0, 0, 4, 0, 0, 0]);
  deepStrictEqual(rows.map((row) => tree.deviceMajor(row)), [
    0,
    0,
    0,
    0,
    0,
    1,
    8,
  ]);
  deepStrictEqual(rows.map((row) => tree.deviceMinor(row)), [
    0,
    0,
    0,
    0,
    0,
    3,
    1,
  ]);
  deepStrictEqual(
    rows.map((row) => [...tree.name(row)]),
    [0x61, 0x64, 0x65, 0x6c, 0x70, 0x7a, 0xff].map((byte) => [byte]),
  );
  deepStrictEqual(tree.idBytes(0), ABC_ID);
  deepStrictEqual(tree.idBytes(1), COUNTING_ID);
  strictEqual(tree.idStart(1), 48);
  strictEqual(tree.nameEnd(6) - tree.nameStart(6), 1);
  deepStrictEqual(tree.target(3), utf8("../x"));
  deepStrictEqual(tree.target(0), new Uint8Array(0));
  deepStrictEqual(rows.map((row) => tree.directoriesBefore(row)), [
    0,
    0,
    1,
    1,
    1,
    1,
    1,
  ]);
});

Deno.test("Tree reads an empty directory", () => {
  const bytes = new TreeBuilder().build();
  strictEqual(bytes.length, 16);
  const tree = Tree.decode(bytes);
  strictEqual(tree.count, 0);
  strictEqual(tree.find(utf8("a")), -1);
});

Deno.test("Tree is a view at any offset of any buffer", () => {
  for (const buffer of [new ArrayBuffer(1000), new SharedArrayBuffer(1000)]) {
    for (let offset = 0; offset < 9; offset++) {
      const bytes = new Uint8Array(buffer, offset, GOLDEN_TREE.length);
      bytes.set(GOLDEN_TREE);
      const tree = Tree.decode(bytes);
      strictEqual(tree.size(0), 3);
      strictEqual(tree.name(0).buffer, buffer);
      deepStrictEqual([...tree.target(3)], [...utf8("../x")]);
    }
  }
});

Deno.test("Tree finds every name and no other", () => {
  const builder = new TreeBuilder();
  const names = Array.from(
    { length: 257 },
    (_, i) => utf8(`name ${String(i).padStart(3, "0")}`),
  );
  for (const name of names) builder.add(name, 0, name.length, EntryKind.fifo);
  const tree = Tree.decode(builder.build());
  names.forEach((name, row) => {
    strictEqual(tree.find(name), row);
    const message = Uint8Array.of(0, ...name, 0, 47);
    strictEqual(tree.find(message, 1, 1 + name.length), row);
  });
  for (const other of ["", "name", "name 0000", "name 00", "zoo", "name 257"]) {
    strictEqual(tree.find(utf8(other)), -1, other);
  }
});

Deno.test("Tree compares names as unsigned bytes, the shorter first", () => {
  const tree = Tree.decode(GOLDEN_TREE);
  const others = utf8("xxzzéxx");
  strictEqual(tree.compareName(5, others, 2, 3), 0);
  ok(tree.compareName(5, others, 2, 4) < 0, "z < zz");
  ok(tree.compareName(5, others, 0, 1) > 0, "z > x");
  ok(tree.compareName(6, others, 4, 6) > 0, "ff > c3");
});

Deno.test("TreeBuilder copies rows and starts again after clear", () => {
  const tree = Tree.decode(GOLDEN_TREE);
  const builder = new TreeBuilder(3);
  for (let round = 0; round < 3; round++) {
    for (let row = 0; row < tree.count; row++) {
      strictEqual(builder.copyRow(tree, row), row);
    }
    strictEqual(builder.size, GOLDEN_TREE.length);
    const bytes = builder.build();
    deepStrictEqual(bytes, GOLDEN_TREE);
    notStrictEqual(bytes.buffer, GOLDEN_TREE.buffer);
    builder.clear();
    strictEqual(builder.count, 0);
  }
});

Deno.test("TreeBuilder orders targets by row, however they come", () => {
  const builder = new TreeBuilder();
  const names = utf8("abc");
  for (let row = 0; row < 3; row++) {
    builder.add(names, row, row + 1, EntryKind.symlink);
  }
  builder.setTarget(2, utf8("third"));
  builder.setTarget(0, utf8("1st"));
  builder.setTarget(1, utf8("second"));
  const tree = Tree.decode(builder.build());
  deepStrictEqual(
    [0, 1, 2].map((row) => new TextDecoder().decode(tree.target(row))),
    [
      "1st",
      "second",
      "third",
    ],
  );
});

Deno.test("TreeBuilder keeps sizes up to 2^53 - 1", () => {
  for (const size of [1, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]) {
    const builder = new TreeBuilder();
    builder.setContent(
      builder.add(utf8("a"), 0, 1, EntryKind.file),
      size,
      ABC_ID,
    );
    strictEqual(Tree.decode(builder.build()).size(0), size);
  }
});

Deno.test("TreeBuilder refuses what is not a tree", () => {
  const builder = new TreeBuilder();
  const add = (name: string, kind: EntryKind = EntryKind.fifo) =>
    builder.add(utf8(name), 0, utf8(name).length, kind);
  for (const name of ["", ".", "..", "a/b", "/", "a\0", "x".repeat(256)]) {
    throws(() => add(name), RangeError, name);
  }
  throws(
    () => add("k", 0 as EntryKind),
    /a kind must be 1 to 7: current value is 0/,
  );
  throws(() => add("k", 8 as EntryKind), RangeError);
  const file = add("m", EntryKind.file);
  throws(() => add("m"), /names must ascend/);
  throws(() => add("l"), /names must ascend/);
  throws(() => builder.build(), /row 0 is not/);
  for (const size of [-1, 0.5, NaN, 2 ** 53]) {
    throws(() => builder.setContent(file, size, ABC_ID), /0 to 2\^53 - 1/);
  }
  throws(() => builder.setContent(file, 0, ABC_ID), /id of nothing/);
  throws(() => builder.setContent(file, 1, EMPTY_ID), /id of nothing/);
  throws(() => builder.setTree(file, ABC_ID), /must be of a directory/);
  throws(() => builder.setDevice(file, 1, 1), /must be of a device/);
  throws(() => builder.setTarget(file, utf8("a")), /must be of a link/);
  throws(() => builder.setContent(1, 1, ABC_ID), /must be of a file/);
  const link = add("n", EntryKind.symlink);
  throws(() => builder.setTarget(link, utf8("")), /1 to 4095 bytes/);
  throws(
    () => builder.setTarget(link, utf8("x".repeat(4096))),
    /1 to 4095 bytes/,
  );
  throws(() => builder.setTarget(link, utf8("a\0")), /NUL/);
  builder.setTarget(link, utf8("x".repeat(4095)));
  throws(() => builder.setTarget(link, utf8("again")), /without a target/);
});

Deno.test("TreeBuilder and AttributePageBuilder start again after a large directory", () => {
  const count = 100_000;
  const trees = new TreeBuilder();
  const pages = new AttributePageBuilder();
  const noName = new Uint8Array(0);
  for (const rows of [count, 3]) {
    const owner = pages.internOwner(rows, 0, noName, noName);
    pages.setOwner(pages.addRow(), owner);
    for (let row = 0; row < rows; row++) {
      const name = utf8(String(count + row));
      trees.add(name, 0, name.length, EntryKind.fifo);
      pages.setOwner(pages.addRow(), owner);
    }
    const tree = Tree.decode(trees.build());
    const page = AttributePage.decode(pages.build());
    strictEqual(tree.count, rows);
    strictEqual(page.rows, rows + 1);
    strictEqual(page.uid(rows), rows);
    deepStrictEqual(tree.name(rows - 1), utf8(String(count + rows - 1)));
    trees.clear();
    pages.clear();
  }
});

Deno.test("Tree views decoded bytes again, wherever they lie", () => {
  const bytes = new Uint8Array(new SharedArrayBuffer(GOLDEN_TREE.length + 5));
  bytes.set(GOLDEN_TREE, 5);
  const tree = Tree.fromDecoded(bytes.subarray(5));
  const other = Tree.decode(GOLDEN_TREE);
  strictEqual(tree.count, other.count);
  for (let row = 0; row < tree.count; row++) {
    strictEqual(tree.kind(row), other.kind(row));
    strictEqual(tree.size(row), other.size(row));
    strictEqual(tree.find(other.name(row)), row);
    deepStrictEqual(tree.idBytes(row).slice(), other.idBytes(row));
    deepStrictEqual(tree.target(row).slice(), other.target(row));
  }
});
