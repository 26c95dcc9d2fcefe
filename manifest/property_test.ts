import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { seededTest } from "../tests/_prng.ts";
import { AttributePage } from "./page/attribute_page.ts";
import { EntryKind } from "./entry_kind.ts";
import { decodeExtras, encodeExtras } from "./extras/extras.ts";
import {
  buildPage,
  buildTree,
  randomEntries,
  randomRows,
} from "./testdata/random_directory.ts";
import { Tree } from "./tree/tree.ts";

seededTest(
  "Tree reads what was built, any bytes in names and targets",
  (prng) => {
    const entries = randomEntries(prng, 100);
    const bytes = buildTree(entries);
    const tree = Tree.decode(bytes);
    const read = entries.map((_, row) => ({
      name: tree.name(row),
      kind: tree.kind(row),
      id: tree.idBytes(row),
      size: tree.size(row),
      target: tree.target(row),
      major: tree.deviceMajor(row),
      minor: tree.deviceMinor(row),
    }));
    strictEqual(tree.count, entries.length);
    deepStrictEqual(read.map(plain), entries.map(plain));
    entries.forEach(({ name }, row) => strictEqual(tree.find(name), row));
    const directories =
      entries.filter(({ kind }) => kind === EntryKind.directory).length;
    strictEqual(tree.directoriesBefore(tree.count), directories);
  },
);

/** Turns views into arrays, whose buffers do not matter. */
function plain(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? [...value] : value,
    ]),
  );
}

seededTest(
  "AttributePage reads what was built",
  (prng) => {
    const rows = randomRows(prng, 1 + prng.below(60));
    const pageIds = Array.from(
      { length: prng.below(rows.length) },
      () => prng.bytes(32),
    );
    const treeId = prng.bytes(32);
    const page = AttributePage.decode(buildPage(rows, treeId, pageIds));
    strictEqual(page.rows, rows.length);
    deepStrictEqual([...page.treeId], [...treeId]);
    pageIds.forEach((id, at) =>
      deepStrictEqual([...page.pageIdBytes(at)], [...id])
    );
    rows.forEach((row, at) => {
      const { owner, extras, ...numbers } = row;
      deepStrictEqual({
        mtimeSec: page.mtimeSec(at),
        mtimeNs: page.mtimeNs(at),
        ctimeSec: page.ctimeSec(at),
        ctimeNs: page.ctimeNs(at),
        inodeLow: page.inodeLow(at),
        inodeHigh: page.inodeHigh(at),
        nlink: page.nlink(at),
        mode: page.mode(at),
        device: page.device(at),
      }, numbers);
      deepStrictEqual(
        plain({
          uid: page.uid(at),
          gid: page.gid(at),
          userName: page.userName(at),
          groupName: page.groupName(at),
        }),
        plain({ ...owner }),
      );
      strictEqual(page.hasExtras(at), extras !== undefined);
      deepStrictEqual(page.extrasBytes(at)?.join(), extras?.join());
    });
  },
);

seededTest(
  "AttributePage numbers each owner once, in the order of rows",
  (prng) => {
    const rows = randomRows(prng, 1 + prng.below(60));
    const page = AttributePage.decode(buildPage(rows, new Uint8Array(32), []));
    const keys = new Map<string, number>();
    for (let row = 0; row < rows.length; row++) {
      const key = [
        page.uid(row),
        page.gid(row),
        page.userName(row),
        page.groupName(row),
      ].join(":");
      if (!keys.has(key)) keys.set(key, keys.size);
      strictEqual(page.owner(row), keys.get(key));
    }
    strictEqual(page.owners, keys.size);
  },
);

seededTest("decodeExtras reads what encodeExtras wrote, and back", (prng) => {
  for (const { extras } of randomRows(prng, 20)) {
    if (extras === undefined) continue;
    const decoded = decodeExtras(extras);
    deepStrictEqual(encodeExtras(decoded), extras);
    ok(decoded.xattrs.length > 0 || decoded.holes !== undefined);
  }
});
