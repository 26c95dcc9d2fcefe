import { strictEqual } from "node:assert/strict";
import { AttributePage } from "./page/attribute_page.ts";
import { sameAttributes, sameContent } from "./entry_row.ts";
import { encodeExtras } from "./extras/extras.ts";
import { GOLDEN_TREE, hex, utf8 } from "./testdata/golden.ts";
import { Tree } from "./tree/tree.ts";
import { AttributePageBuilder } from "../tests/_manifest_builders.ts";

Deno.test("sameContent holds for an entry and itself alone", () => {
  const tree = Tree.decode(GOLDEN_TREE);
  for (let row = 0; row < tree.count; row++) {
    for (let other = 0; other < tree.count; other++) {
      strictEqual(sameContent(tree, row, tree, other), row === other);
    }
  }
});

Deno.test("sameContent sees a byte of an id, a target and a device number", () => {
  const tree = Tree.decode(GOLDEN_TREE);
  for (
    const [row, offset] of [[0, 16], [1, 79], [3, 341], [5, 280], [
      5,
      284,
    ]] as const
  ) {
    const bytes = GOLDEN_TREE.slice();
    bytes[offset] ^= 4;
    strictEqual(
      sameContent(tree, row, Tree.decode(bytes), row),
      false,
      `offset ${offset}`,
    );
  }
});

/** Builds a page of one row, after `change` had its way. */
function page(change: (builder: AttributePageBuilder) => void): AttributePage {
  const builder = new AttributePageBuilder();
  builder.addRow();
  builder.setTimes(0, 5, 6, 7, 8);
  builder.setInode(0, 1, 2, 3, 4);
  builder.setMode(0, 0o644);
  builder.setOwner(0, builder.internOwner(1, 2, utf8("u"), utf8("g")));
  change(builder);
  return AttributePage.decode(builder.build());
}

Deno.test("sameAttributes compares what a restore sets, and no more", () => {
  const base = page(() => {});
  const own = (uid: number, gid: number, user: string, group: string) =>
    page((builder) =>
      builder.setOwner(
        0,
        builder.internOwner(uid, gid, utf8(user), utf8(group)),
      )
    );
  const extras = (name: string) =>
    page((builder) =>
      builder.setExtras(
        0,
        encodeExtras({
          xattrs: [{ name: utf8(name), value: hex(""), size: 0 }],
        }),
      )
    );
  const same = (other: AttributePage) => sameAttributes(base, 0, other, 0);
  strictEqual(
    same(page((builder) => builder.setTimes(0, 5, 6, 70, 80))),
    true,
    "ctime",
  );
  strictEqual(
    same(page((builder) => builder.setInode(0, 9, 9, 9, 9))),
    true,
    "inode",
  );
  strictEqual(
    same(page((builder) => builder.setTimes(0, 9, 6, 7, 8))),
    false,
    "seconds",
  );
  strictEqual(
    same(page((builder) => builder.setTimes(0, 5, 9, 7, 8))),
    false,
    "nanoseconds",
  );
  strictEqual(
    same(page((builder) => builder.setMode(0, 0o600))),
    false,
    "mode",
  );
  strictEqual(same(own(9, 2, "u", "g")), false, "uid");
  strictEqual(same(own(1, 9, "u", "g")), false, "gid");
  strictEqual(same(own(1, 2, "v", "g")), false, "user name");
  strictEqual(same(own(1, 2, "u", "")), false, "group name");
  strictEqual(same(extras("user.a")), false, "extras");
  strictEqual(sameAttributes(extras("user.a"), 0, extras("user.a"), 0), true);
  strictEqual(sameAttributes(extras("user.a"), 0, extras("user.b"), 0), false);
});
