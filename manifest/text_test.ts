import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { AttributePage } from "./page/attribute_page.ts";
import { ABC_ID, GOLDEN_PAGE, GOLDEN_TREE, utf8 } from "./testdata/golden.ts";
import { MemoryTrees } from "./testdata/memory_trees.ts";
import {
  formatEntry,
  formatMode,
  formatTrees,
  type TextOptions,
} from "./text.ts";
import { Tree } from "./tree/tree.ts";
import { TreeBuilder } from "../tests/_manifest_builders.ts";

const ABC = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";
const EMPTY =
  "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";

function allLines(options?: TextOptions): string[] {
  const tree = Tree.decode(GOLDEN_TREE);
  return Array.from(
    { length: tree.count },
    (_, row) => formatEntry({ tree, row }, tree.name(row), options),
  );
}

Deno.test("formatEntry writes one line for each kind", () => {
  deepStrictEqual(allLines(), [
    `- ${ABC} 3 a`,
    "d - - d",
    `x ${EMPTY} 0 e`,
    "l ../x - l",
    "p - - p",
    "c 1:3 - z",
    "b 8:1 - %FF",
  ]);
});

Deno.test("formatEntry shortens ids and shows those of trees when asked", () => {
  deepStrictEqual(allLines({ idDigits: 12, treeIds: true }).slice(0, 2), [
    "- 6437b3ac3846 3 a",
    "d 000102030405 - d",
  ]);
});

Deno.test("formatEntry shows attributes when asked, after what the id covers", () => {
  const page = AttributePage.decode(GOLDEN_PAGE);
  const builder = new TreeBuilder();
  builder.setTree(builder.add(utf8("d"), 0, 1, 3), ABC_ID);
  builder.setContent(builder.add(utf8("f"), 0, 1, 1), 7, ABC_ID);
  const tree = Tree.decode(builder.build());
  const options = { attributes: true, idDigits: 4 };
  strictEqual(
    formatEntry({ tree, row: 0, page }, utf8("d"), options),
    "d - - rwsr-sr-t 0 0 1969-12-31T23:59:59.999999999Z d",
  );
  strictEqual(
    formatEntry({ tree, row: 1, page }, utf8("some where/f"), options),
    "- 6437 7 rw-r--r--+ ann users 2026-11-20T05:46:18.123456789Z some where/f",
  );
  strictEqual(
    formatEntry({ tree, row: -1, page }, utf8("."), options),
    "d - - rwxr-xr-x+ ann users 1970-01-01T00:00:01.000000001Z .",
  );
  strictEqual(
    formatEntry({ tree, row: 1 }, utf8("f"), options),
    "- 6437 7 - - - - f",
  );
});

Deno.test("formatEntry keeps an entry on one line, whatever its names", () => {
  const builder = new TreeBuilder();
  builder.setTarget(builder.add(utf8("a"), 0, 1, 4), utf8("x y\n\u001b[2J"));
  const tree = Tree.decode(builder.build());
  strictEqual(
    formatEntry({ tree, row: 0 }, utf8("a\nb\u202ec")),
    "l x%20y%0A%1B[2J - a%0Ab%E2%80%AEc",
  );
});

Deno.test("formatTrees writes all lines in the order of a walk", async () => {
  const side = new MemoryTrees().put({
    b: { c: "", d: "l:x" },
    a: "",
    "b-": "p:",
  });
  const lines: string[] = [];
  for await (const batch of formatTrees(side, { idDigits: 4 })) {
    lines.push(...batch);
  }
  deepStrictEqual(lines, [
    "- af13 0 a",
    "d - - b",
    "- af13 0 b/c",
    "l x - b/d",
    "p - - b-",
  ]);
});

Deno.test("formatMode writes as ls does", () => {
  const modes: [number, string][] = [
    [0, "---------"],
    [0o644, "rw-r--r--"],
    [0o4755, "rwsr-xr-x"],
    [0o4644, "rwSr--r--"],
    [0o2711, "rwx--s--x"],
    [0o2701, "rwx--S--x"],
    [0o1777, "rwxrwxrwt"],
    [0o1776, "rwxrwxrwT"],
  ];
  for (const [mode, text] of modes) strictEqual(formatMode(mode), text);
});
