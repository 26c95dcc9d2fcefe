import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { AttributePage } from "./attribute_page.ts";
import { AttributePageBuilder } from "./attribute_page_builder.ts";
import { EntryKind } from "./entry_kind.ts";
import { encodeExtras } from "./extras.ts";
import { encodeHoles } from "./holes.ts";
import { COUNTING_ID, EMPTY_ID, GOLDEN_PAGE, utf8 } from "./testdata/golden.ts";
import { Tree } from "./tree.ts";
import { TreeBuilder } from "./tree_builder.ts";

const NO_NAME = new Uint8Array(0);

function goldenBuilder(): AttributePageBuilder {
  const builder = new AttributePageBuilder();
  const root = builder.internOwner(0, 0, NO_NAME, NO_NAME);
  const ann = builder.internOwner(1000, 100, utf8("ann"), utf8("users"));
  builder.setTreeId(COUNTING_ID);
  builder.addPageId(EMPTY_ID);
  for (let row = 0; row < 3; row++) builder.addRow();
  const holes = encodeHoles(Float64Array.of(0, 65536));
  builder.setExtras(
    2,
    encodeExtras({
      xattrs: [{ name: utf8("zb"), value: NO_NAME, size: 0 }],
      holes: { value: holes, size: holes.length },
    }),
  );
  builder.setExtras(
    0,
    encodeExtras({
      xattrs: [{ name: utf8("user.a"), value: utf8("A"), size: 1 }],
    }),
  );
  builder.setOwner(2, ann);
  builder.setOwner(1, root);
  builder.setOwner(0, ann);
  builder.setTimes(0, 1, 1, 2, 2);
  builder.setTimes(1, -1, 999999999, 3, 3);
  builder.setTimes(2, 0x6affdeaa, 123456789, 2 ** 32 + 4, 4);
  builder.setInode(0, 10, 0, 3, 0);
  builder.setInode(1, 11, 1, 2, 1);
  builder.setInode(2, 12, 0, 1, 0);
  builder.setMode(0, 0o755);
  builder.setMode(1, 0o7755);
  builder.setMode(2, 0o644);
  return builder;
}

Deno.test("AttributePageBuilder writes the golden bytes", () => {
  deepStrictEqual(goldenBuilder().build(), GOLDEN_PAGE);
});

Deno.test("AttributePage reads every field of the golden bytes", () => {
  checkGolden(AttributePage.decode(GOLDEN_PAGE));
});

Deno.test("AttributePage views decoded bytes again, wherever they lie", () => {
  const bytes = new Uint8Array(new SharedArrayBuffer(GOLDEN_PAGE.length + 3));
  bytes.set(GOLDEN_PAGE, 3);
  checkGolden(AttributePage.fromDecoded(bytes.subarray(3)));
});

function checkGolden(page: AttributePage): void {
  const column = (read: (row: number) => unknown) => [0, 1, 2].map(read);
  strictEqual(page.rows, 3);
  strictEqual(page.directories, 1);
  strictEqual(page.owners, 2);
  deepStrictEqual(page.treeId, COUNTING_ID);
  deepStrictEqual(page.pageIdBytes(0), EMPTY_ID);
  deepStrictEqual(column((row) => page.mtimeSec(row)), [1, -1, 0x6affdeaa]);
  deepStrictEqual(column((row) => page.mtimeNs(row)), [
    1,
    999999999,
    123456789,
  ]);
  deepStrictEqual(column((row) => page.ctimeSec(row)), [2, 3, 2 ** 32 + 4]);
  deepStrictEqual(column((row) => page.ctimeNs(row)), [2, 3, 4]);
  deepStrictEqual(column((row) => page.inodeLow(row)), [10, 11, 12]);
  deepStrictEqual(column((row) => page.inodeHigh(row)), [0, 1, 0]);
  deepStrictEqual(column((row) => page.nlink(row)), [3, 2, 1]);
  deepStrictEqual(column((row) => page.owner(row)), [0, 1, 0]);
  deepStrictEqual(column((row) => page.uid(row)), [1000, 0, 1000]);
  deepStrictEqual(column((row) => page.gid(row)), [100, 0, 100]);
  deepStrictEqual(column((row) => page.userName(row)), [
    utf8("ann"),
    NO_NAME,
    utf8("ann"),
  ]);
  deepStrictEqual(column((row) => page.groupName(row)), [
    utf8("users"),
    NO_NAME,
    utf8("users"),
  ]);
  deepStrictEqual(column((row) => page.mode(row)), [0o755, 0o7755, 0o644]);
  deepStrictEqual(column((row) => page.device(row)), [0, 1, 0]);
  deepStrictEqual(column((row) => page.hasExtras(row)), [true, false, true]);
  strictEqual(page.extras(1), undefined);
  strictEqual(page.extrasBytes(1), undefined);
  deepStrictEqual(page.extras(0), {
    xattrs: [{ name: utf8("user.a"), value: utf8("A"), size: 1 }],
  });
  strictEqual(page.extras(2)?.holes?.size, 4);
}

Deno.test("AttributePage is a view at any offset of any buffer", () => {
  for (const buffer of [new ArrayBuffer(1000), new SharedArrayBuffer(1000)]) {
    for (let offset = 0; offset < 9; offset++) {
      const bytes = new Uint8Array(buffer, offset, GOLDEN_PAGE.length);
      bytes.set(GOLDEN_PAGE);
      strictEqual(AttributePage.decode(bytes).mtimeSec(1), -1);
    }
  }
});

Deno.test("AttributePage belongs to the tree whose id and shape it has", () => {
  const page = AttributePage.decode(GOLDEN_PAGE);
  const tree = (kinds: EntryKind[]) => {
    const builder = new TreeBuilder();
    kinds.forEach((kind, row) => {
      builder.add(utf8("abc"), row, row + 1, kind);
      if (kind === EntryKind.directory) builder.setTree(row, COUNTING_ID);
    });
    return Tree.decode(builder.build());
  };
  const { fifo, directory } = EntryKind;
  strictEqual(page.belongsTo(tree([directory, fifo]), COUNTING_ID), true);
  strictEqual(page.belongsTo(tree([directory, fifo]), EMPTY_ID), false, "id");
  strictEqual(page.belongsTo(tree([directory]), COUNTING_ID), false, "rows");
  strictEqual(
    page.belongsTo(tree([fifo, fifo]), COUNTING_ID),
    false,
    "sub-directories",
  );
});

Deno.test("AttributePageBuilder copies rows, with owners renumbered and extras", () => {
  const page = AttributePage.decode(GOLDEN_PAGE);
  const builder = new AttributePageBuilder();
  builder.setTreeId(COUNTING_ID);
  builder.internOwner(7, 7, utf8("not used"), NO_NAME);
  for (let round = 0; round < 2; round++) {
    for (const from of [1, 2, 0]) builder.copyRow(page, from);
    const copy = AttributePage.decode(builder.build());
    deepStrictEqual([0, 1, 2].map((row) => copy.uid(row)), [0, 1000, 1000]);
    deepStrictEqual([0, 1, 2].map((row) => copy.owner(row)), [0, 1, 1]);
    deepStrictEqual(copy.extras(1), page.extras(2));
    deepStrictEqual(copy.extras(2), page.extras(0));
    strictEqual(copy.mtimeSec(0), -1);
    strictEqual(copy.owners, 2);
    builder.clear();
  }
});

Deno.test("AttributePageBuilder starts again after clear", () => {
  const builder = goldenBuilder();
  builder.clear();
  strictEqual(builder.rows, 0);
  builder.setOwner(
    builder.addRow(),
    builder.internOwner(0, 0, NO_NAME, NO_NAME),
  );
  const page = AttributePage.decode(builder.build());
  strictEqual(page.rows, 1);
  strictEqual(page.directories, 0);
  strictEqual(page.mode(0), 0);
  strictEqual(page.mtimeSec(0), 0);
  strictEqual(page.hasExtras(0), false);
});

Deno.test("AttributePageBuilder interns owners by ids and names", () => {
  const builder = new AttributePageBuilder();
  const numbers = new Map<string, number>();
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 100; i++) {
      const name = `u${i % 5}`;
      const key = `${i % 10}:${i % 3}:${name}`;
      const number = builder.internOwner(i % 10, i % 3, utf8(name), NO_NAME);
      strictEqual(numbers.get(key) ?? number, number, key);
      numbers.set(key, number);
    }
  }
  strictEqual(new Set(numbers.values()).size, numbers.size);
  builder.setOwner(builder.addRow(), 29);
  strictEqual(AttributePage.decode(builder.build()).owners, 1);
});

Deno.test("AttributePageBuilder bounds times to what a page holds", () => {
  const builder = new AttributePageBuilder();
  builder.setOwner(
    builder.addRow(),
    builder.internOwner(0, 0, NO_NAME, NO_NAME),
  );
  builder.setTimes(0, 2 ** 63, 0, -(2 ** 63), 0);
  const page = AttributePage.decode(builder.build());
  strictEqual(page.mtimeSec(0), 2 ** 53 - 1);
  strictEqual(page.ctimeSec(0), -(2 ** 53 - 1));
});

Deno.test("AttributePageBuilder refuses what is not a page", () => {
  const builder = new AttributePageBuilder();
  throws(() => builder.build(), /0 rows, 0 page ids/);
  throws(() => builder.setMode(0, 0o644), /there are 0: current value is 0/);
  const row = builder.addRow();
  throws(() => builder.build(), /row 0 has none/);
  throws(() => builder.setOwner(row, 0), /must be interned/);
  throws(
    () => builder.setMode(row, 0o100644),
    /12 bits: current value is 33188/,
  );
  throws(() => builder.setTimes(row, 0, 1e9, 0, 0), /nanoseconds/);
  throws(() => builder.setTimes(row, 0, 0, 0, -1), /nanoseconds/);
  throws(
    () => builder.setInode(row, 1, 0, 1, 65536),
    /0 to 65535: current value is 65536/,
  );
  throws(() => builder.setExtras(row, Uint8Array.of(9)), SyntaxError);
  builder.setOwner(row, builder.internOwner(0, 0, NO_NAME, NO_NAME));
  builder.addPageId(EMPTY_ID);
  throws(() => builder.build(), /1 rows, 1 page ids/);
  builder.setOwner(builder.addRow(), 0);
  const extras = encodeExtras({
    xattrs: [{ name: utf8("a"), value: NO_NAME, size: 0 }],
  });
  builder.setExtras(row, extras);
  builder.setExtras(row, extras);
  throws(() => builder.build(), /set once: row 0/);
});
