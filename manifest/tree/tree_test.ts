import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { EntryKind } from "../entry_kind.ts";
import {
  ABC_ID,
  COUNTING_ID,
  EMPTY_ID,
  GOLDEN_TREE,
  utf8,
} from "../testdata/golden.ts";
import { Tree } from "./tree.ts";
import { TreeBuilder } from "../../tests/_manifest_builders.ts";

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

Deno.test("the plain builder of tests writes the golden bytes", () => {
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

Deno.test("Tree reads sizes up to 2^53 - 1", () => {
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
