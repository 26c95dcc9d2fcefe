import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { TreeDraft } from "../tree/tree_draft.ts";
import { seededTest } from "../../tests/_prng.ts";
import { AttributePage } from "./attribute_page.ts";
import { DraftOwners } from "./draft_owners.ts";
import { EntryKind } from "../entry_kind.ts";
import { PageDraft } from "./page_draft.ts";
import { joinPieces, MemoryBytes } from "../random_bytes.ts";
import {
  buildPage,
  draftTree,
  randomEntries,
  type RandomRow,
  randomRows,
} from "../testdata/random_directory.ts";
import { WidePage } from "./wide_page.ts";

function draftPage(rows: readonly RandomRow[], owners: DraftOwners): PageDraft {
  const draft = new PageDraft(rows.length - 1);
  for (let row = rows.length - 1; row >= 0; row--) {
    const one = rows[row];
    const { uid, gid, userName, groupName } = one.owner;
    draft.setOwner(row, owners.intern(uid, gid, userName, groupName));
    draft.setTimes(row, one.mtimeSec, one.mtimeNs, one.ctimeSec, one.ctimeNs);
    draft.setInode(row, one.inodeLow, one.inodeHigh, one.nlink, one.device);
    draft.setMode(row, one.mode);
    if (one.extras !== undefined) draft.setExtras(row, one.extras);
    strictEqual(draft.nlink(row), one.nlink);
  }
  return draft;
}

seededTest(
  "PageDraft gives the bytes of the plain builder, whatever its tree leaves out",
  (prng) => {
    const owners = new DraftOwners();
    for (let page = 0; page < 3; page++) {
      const entries = randomEntries(prng, 60);
      const rate = prng.pick([1, 2, 20, 1e9]);
      const isKept = entries.map(() => prng.below(rate) > 0);
      const rows = randomRows(prng, entries.length + 1);
      // Rows that have the same extras follow each other.
      for (let row = 1; row < rows.length; row++) {
        const { extras } = rows[row - 1];
        if (prng.below(3) === 0) rows[row] = { ...rows[row], extras };
      }
      const treeId = prng.bytes(32);
      const pageIds = prng.bytes(32 * entries.length);
      const object = draftPage(rows, owners).finish({
        tree: draftTree(entries, isKept),
        treeId,
        pageIds: new MemoryBytes(pageIds),
        owners,
      });
      const expected = buildPage(
        rows.filter((_, row) => row === 0 || isKept[row - 1]),
        treeId,
        entries.flatMap(({ kind }, row) =>
          kind === EntryKind.directory && isKept[row]
            ? [pageIds.subarray(32 * row, 32 * row + 32)]
            : []
        ),
      );
      strictEqual(object.size, expected.length);
      deepStrictEqual(joinPieces(object), expected);
      deepStrictEqual(joinPieces(object), expected, "once more");
    }
  },
);

seededTest("WidePage reads what AttributePage reads", (prng) => {
  const rows = randomRows(prng, 1 + prng.below(60));
  const pageIds = Array.from(
    { length: prng.below(rows.length) },
    () => prng.bytes(32),
  );
  const bytes = buildPage(rows, prng.bytes(32), pageIds);
  const page = AttributePage.decode(bytes);
  const wide = WidePage.open(new MemoryBytes(bytes))!;
  deepStrictEqual(
    [wide.rows, wide.directories, wide.extraRows],
    [page.rows, page.directories, page.extraRows],
  );
  deepStrictEqual([...wide.treeId], [...page.treeId]);
  pageIds.forEach((id, i) =>
    deepStrictEqual([...wide.pageIdBytes(i)], [...id])
  );
  const read = (of: WidePage | AttributePage, row: number): unknown[] => [
    ...[of.mtimeSec(row), of.mtimeNs(row), of.ctimeSec(row), of.ctimeNs(row)],
    ...[of.inodeLow(row), of.inodeHigh(row), of.nlink(row), of.mode(row)],
    ...[of.device(row), of.uid(row), of.gid(row)],
    [...of.extrasBytes(row) ?? ["none"]],
  ];
  for (let row = 0; row < page.rows; row++) {
    deepStrictEqual(read(wide, row), read(page, row));
  }
});

Deno.test("WidePage is none where counts do not fit the bytes", () => {
  const owner = { uid: 0, gid: 0, userName: NONE, groupName: NONE };
  const row = {
    ...{ mtimeSec: 0, mtimeNs: 0, ctimeSec: 0, ctimeNs: 0, inodeLow: 0 },
    ...{ inodeHigh: 0, nlink: 0, mode: 0, device: 0, owner, extras: undefined },
  };
  const bytes = buildPage([row], new Uint8Array(32), []);
  strictEqual(WidePage.open(new MemoryBytes(bytes))?.rows, 1);
  strictEqual(WidePage.open(new MemoryBytes(bytes.subarray(1))), undefined);
  for (const at of [0, 4, 8, 12, 16, 20, 24]) {
    const other = bytes.slice();
    other[at] ^= 1;
    strictEqual(WidePage.open(new MemoryBytes(other)), undefined, `${at}`);
  }
});

const NONE = new Uint8Array(0);

Deno.test("PageDraft refuses what no page has", () => {
  const draft = new PageDraft(0);
  throws(() => draft.setTimes(0, 0, 1e9, 0, 0), RangeError);
  throws(() => draft.setTimes(0, 0, 0, 0, -1), RangeError);
  throws(() => draft.setInode(0, 0, 0, 0, 65536), RangeError);
  throws(() => draft.setMode(0, 0o10000), RangeError);
  throws(() => draft.setExtras(0, Uint8Array.of(9)), SyntaxError);
  draft.setExtras(0, NONE);
});

Deno.test("PageDraft bounds times to what a page holds", () => {
  const draft = new PageDraft(0);
  const owners = new DraftOwners();
  draft.setOwner(0, owners.intern(0, 0, NONE, NONE));
  draft.setTimes(0, 2 ** 63, 0, -(2 ** 63), 0);
  const tree = new TreeDraft({
    rowsMax: 0,
    names: NONE,
    ends: new Uint32Array(0),
  });
  const treeId = new Uint8Array(32);
  const bytes = draft.finish({ tree, treeId, pageIds: undefined, owners });
  const page = AttributePage.decode(joinPieces(bytes));
  strictEqual(page.mtimeSec(0), 2 ** 53 - 1);
  strictEqual(page.ctimeSec(0), -(2 ** 53 - 1));
});

Deno.test("DraftOwners numbers owners by ids and names", () => {
  const owners = new DraftOwners();
  const numbers = new Map<string, number>();
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 100; i++) {
      const name = `u${i % 5}`;
      const key = `${i % 10}:${i % 3}:${name}`;
      const bytes = new TextEncoder().encode(name);
      const number = owners.intern(i % 10, i % 3, bytes, NONE);
      strictEqual(numbers.get(key) ?? number, number, key);
      numbers.set(key, number);
    }
  }
  strictEqual(new Set(numbers.values()).size, numbers.size);
  strictEqual(owners.count, numbers.size);
});
