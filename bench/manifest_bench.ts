// What a save of unchanged files pays for trees and attribute pages, in ns a row.
//
//   deno run bench/manifest_bench.ts [--small]
//
// `merge` is the hot loop: names and stat fields of a walk, in flat arrays, against
// the parent's tree and page.
import { AttributePage, joinPieces, Tree } from "@snap/manifest";
import { DraftOwners, PageDraft, TreeDraft } from "@snap/manifest/draft";
import { EntryKind } from "@snap/manifest/extras";

/** Rounds of each measurement; the fastest counts. */
const ROUND_COUNT = 9;

/** One measured step. */
export interface ManifestBenchRow {
  /** Entries in a directory. */
  readonly entriesEach: number;
  /** What was done. */
  readonly step: string;
  /** The fastest round, in nanoseconds a row. */
  readonly nsEachRow: number;
}

/** One directory as bytes, and as a walk would have found it. */
interface Directory {
  readonly tree: Uint8Array;
  readonly page: Uint8Array;
  readonly names: Uint8Array;
  readonly ends: Uint32Array;
  readonly stats: Float64Array;
}

const STAT_FIELDS = 7;

function makeDirectory(first: number, count: number): Directory {
  const text = Array.from({ length: count }, (_, i) => `entry-${first + i}.ts`)
    .sort();
  const names = new TextEncoder().encode(text.join(""));
  const ends = new Uint32Array(count);
  const stats = new Float64Array(count * STAT_FIELDS);
  const tree = new TreeDraft({ rowsMax: count, names, ends });
  const page = new PageDraft(count);
  const owners = new DraftOwners();
  const name = new Uint8Array(3);
  const owner = owners.intern(1000, 1000, name, name);
  const id = new Uint8Array(32).fill(7);
  page.setOwner(0, owner);
  let start = 0;
  for (let row = 0; row < count; row++) {
    const end = ends[row] = start + text[row].length;
    const size = 1 + (first + row) % 100_000;
    tree.setContent(tree.add(EntryKind.file), size, id);
    const at = row + 1;
    page.setOwner(at, owner);
    page.setMode(at, 0o644);
    page.setTimes(at, 1.7e9 + row, row, 1.7e9 + row, row);
    page.setInode(at, first + row, 0, 1, 0);
    stats.set(
      [size, 1.7e9 + row, row, 1.7e9 + row, row, first + row, 0],
      row * STAT_FIELDS,
    );
    start = end;
  }
  const treeId = new Uint8Array(32);
  const bytes = page.finish({ tree, treeId, pageIds: undefined, owners });
  return {
    tree: joinPieces(tree.finish()),
    page: joinPieces(bytes),
    names,
    ends,
    stats,
  };
}

/** Puts the bytes into one frame, so that they begin at any offset, as when read from a pack. */
function intoFrame(directories: Directory[]): Directory[] {
  const size = directories.reduce(
    (sum, { tree, page }) => sum + tree.length + page.length,
    1,
  );
  const frame = new Uint8Array(size);
  let at = 1;
  const place = (bytes: Uint8Array) => {
    frame.set(bytes, at);
    at += bytes.length;
    return frame.subarray(at - bytes.length, at);
  };
  return directories.map((one) => ({
    ...one,
    tree: place(one.tree),
    page: place(one.page),
  }));
}

/** Counts the rows of a directory that are as the walk found them. */
function mergeDirectory(
  tree: Tree,
  page: AttributePage,
  found: Directory,
): number {
  const { names, ends, stats } = found;
  let same = 0;
  let row = 0;
  let start = 0;
  for (let i = 0; i < ends.length && row < tree.count; i++) {
    const end = ends[i];
    let order = -1;
    while (
      row < tree.count && (order = tree.compareName(row, names, start, end)) < 0
    ) row++;
    start = end;
    if (order !== 0) continue;
    const at = i * STAT_FIELDS;
    if (
      tree.size(row) === stats[at] &&
      page.mtimeSec(row + 1) === stats[at + 1] &&
      page.mtimeNs(row + 1) === stats[at + 2] &&
      page.ctimeSec(row + 1) === stats[at + 3] &&
      page.ctimeNs(row + 1) === stats[at + 4] &&
      page.inodeLow(row + 1) === stats[at + 5] &&
      page.inodeHigh(row + 1) === stats[at + 6]
    ) same++;
    row++;
  }
  return same;
}

/** Reads every field of every row. */
function readDirectory(tree: Tree, page: AttributePage): number {
  let sum = 0;
  for (let row = 0; row < tree.count; row++) {
    sum += tree.kind(row) + tree.size(row) + tree.nameStart(row) +
      tree.nameEnd(row) +
      tree.idStart(row);
    const at = row + 1;
    sum += page.mtimeSec(at) + page.mtimeNs(at) + page.ctimeSec(at) +
      page.ctimeNs(at) +
      page.inodeLow(at) + page.inodeHigh(at) + page.nlink(at) + page.mode(at) +
      page.device(at) + page.uid(at) + page.gid(at);
  }
  return sum;
}

/** Drafts a directory anew of what was read, as a save does. */
function draftDirectory(
  tree: Tree,
  page: AttributePage,
  one: Directory,
): number {
  const { names, ends } = one;
  const trees = new TreeDraft({ rowsMax: tree.count, names, ends });
  const pages = new PageDraft(tree.count);
  const owners = new DraftOwners();
  const name = new Uint8Array(3);
  const owner = owners.intern(1000, 1000, name, name);
  pages.setOwner(0, owner);
  for (let row = 0; row < tree.count; row++) {
    trees.add(tree.kind(row));
    trees.setContent(row, tree.size(row), tree.bytes, tree.idStart(row));
    const at = row + 1;
    pages.setOwner(at, owner);
    pages.setMode(at, page.mode(at));
    pages.setTimes(
      at,
      page.mtimeSec(at),
      page.mtimeNs(at),
      page.ctimeSec(at),
      page.ctimeNs(at),
    );
    pages.setInode(at, page.inodeLow(at), page.inodeHigh(at), 1, 0);
  }
  const { treeId } = page;
  const drafted = { tree: trees, treeId, pageIds: undefined, owners };
  return joinPieces(trees.finish()).length +
    joinPieces(pages.finish(drafted)).length;
}

/** Measures all steps over directories of one size. */
export function manifestBench(
  rowCount: number,
  entriesEach: number,
): ManifestBenchRow[] {
  const directories = intoFrame(Array.from(
    { length: Math.ceil(rowCount / entriesEach) },
    (_, i) => makeDirectory(i * entriesEach, entriesEach),
  ));
  const trees = directories.map(({ tree }) => Tree.decode(tree));
  const pages = directories.map(({ page }) => AttributePage.decode(page));
  const steps: [string, (at: number) => number][] = [
    ["decode tree", (at) => Tree.decode(directories[at].tree).count],
    ["decode page", (at) => AttributePage.decode(directories[at].page).rows],
    ["read all fields", (at) => readDirectory(trees[at], pages[at])],
    ["merge", (at) => mergeDirectory(trees[at], pages[at], directories[at])],
    ["draft", (at) => draftDirectory(trees[at], pages[at], directories[at])],
  ];
  return steps.map(([step, run]) => {
    let best = Infinity;
    for (let round = 0; round < ROUND_COUNT; round++) {
      const start = performance.now();
      let sum = 0;
      for (let at = 0; at < directories.length; at++) sum += run(at);
      best = Math.min(best, performance.now() - start);
      if (step === "merge" && sum !== directories.length * entriesEach) {
        throw new Error(
          `Cannot trust merge as all rows must be the same: found ${sum}`,
        );
      }
    }
    return {
      entriesEach,
      step,
      nsEachRow: best * 1e6 / (directories.length * entriesEach),
    };
  });
}

if (import.meta.main) {
  const rowCount = Deno.args.includes("--small") ? 1000 : 100_000;
  for (const entriesEach of [4, 12, 100, rowCount]) {
    for (const { step, nsEachRow } of manifestBench(rowCount, entriesEach)) {
      console.log(
        `${String(entriesEach).padStart(6)} entries each  ${step.padEnd(16)} ${
          nsEachRow.toFixed(1).padStart(6)
        } ns a row`,
      );
    }
  }
}
