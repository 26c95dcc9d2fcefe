import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { AttributePage } from "./attribute_page.ts";
import { EntryKind } from "../entry_kind.ts";
import { encodeExtras } from "../extras/extras.ts";
import { encodeHoles } from "../extras/holes.ts";
import {
  COUNTING_ID,
  EMPTY_ID,
  GOLDEN_PAGE,
  utf8,
} from "../testdata/golden.ts";
import { Tree } from "../tree/tree.ts";
import {
  AttributePageBuilder,
  TreeBuilder,
} from "../../tests/_manifest_builders.ts";

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

Deno.test("the plain builder of tests writes the golden page", () => {
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
