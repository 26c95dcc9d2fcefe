import { hexOf } from "@snap/hash";
import type { Hasher, Id } from "@snap/hash";
import {
  FORGOTTEN_KIND,
  type IdRange,
  type IdRows,
  RANGE_SKIPPED,
  RECORD_KIND,
} from "./protocol/sections.ts";
import { ObjectKind } from "@snap/pack";
import { idToBytes } from "@snap/hash";
import { bytesOfHex, idsOf, LAST_ID, rangeOf, within } from "./records.ts";
import type { RecordSet } from "./peer/peer.ts";
import { ObjectRows } from "./object_rows.ts";

/** Ranges that one is cut into. */
const CHILDREN = 16;

/** An answer to ranges: each was equal, is listed, or is cut. */
export interface ComparedRanges {
  /** Ranges of both sets, in order: those that are cut, and between them skipped ones. */
  readonly ranges: IdRange[];
  /** Numbers of the rows that were asked for whose ids are listed. */
  readonly listed: number[];
  /** Those ids: of a record its tree follows. */
  readonly ids: IdRows;
}

/** The ranges of everything. */
export function wholeRanges(set: RecordSet, hasher: Hasher): IdRange[] {
  return [0, 1].map((number) =>
    rangeOf(idsOf(set, number), number, "", LAST_ID, hasher)
  );
}

/** A row with where it begins. */
export interface BoundRange extends IdRange {
  /** The id behind which it begins, in hex digits; nothing for the first. */
  readonly lower: string;
  /** Its largest id. */
  readonly last: string;
  readonly row: number;
}

/** Rows that are not skipped, with where they begin. */
export function boundRanges(ranges: readonly IdRange[]): BoundRange[] {
  const lowers = ["", ""];
  const bound: BoundRange[] = [];
  ranges.forEach((range, row) => {
    const lower = lowers[range.set];
    const last = lowers[range.set] = hexOf(range.upper);
    if (range.count === RANGE_SKIPPED) return;
    bound.push({ ...range, lower, last, row });
  });
  return bound;
}

/** A row that stands for nothing but its end. */
export function skippedRange(upper: Uint8Array, set: number): IdRange {
  const fingerprint = new Uint8Array(16);
  return { upper, count: RANGE_SKIPPED, set, fingerprint };
}

/** Whether two fingerprints are of the same ids. */
export function isSameRange(a: IdRange, b: IdRange): boolean {
  return a.count === b.count &&
    a.fingerprint.every((byte, i) => byte === b.fingerprint[i]);
}

/**
 * Answers ranges of the other side.
 *
 * @param set What this side has.
 * @param asked The ranges.
 * @param listMax Ids of a range that are listed at most; of more it is cut.
 * @param hasher What hashes.
 */
export function compareRanges(
  set: RecordSet,
  asked: readonly IdRange[],
  listMax: number,
  hasher: Hasher,
): ComparedRanges {
  const ranges: IdRange[] = [];
  const listed: number[] = [];
  const ids = new ObjectRows();
  const trees = new Map(set.live.map(({ record, tree }) => [record, tree]));
  const sets = [idsOf(set, 0), idsOf(set, 1)];
  for (const range of boundRanges(asked)) {
    const { lower, upper, set: number, row } = range;
    const mine = within(sets[number], lower, upper);
    const own = rangeOf(mine, number, lower, upper, hasher);
    if (lower !== "") {
      ranges.push(skippedRange(bytesOfHex(lower), number));
    }
    if (isSameRange(own, range)) {
      ranges.push(skippedRange(upper, number));
    } else if (mine.length <= listMax) {
      listed.push(row);
      // A record may be in both sets: its removal was interrupted.
      for (const id of mine) addId(ids, id, number === 0 && trees.get(id));
      ranges.push(skippedRange(upper, number));
    } else ranges.push(...cut(mine, number, lower, upper, hasher));
  }
  return { ranges, listed, ids };
}

/** Adds a record with its tree, or one that is forgotten without. */
function addId(rows: ObjectRows, id: Id, tree: Id | false | undefined): void {
  rows.add(idToBytes(id), 0, tree ? RECORD_KIND : FORGOTTEN_KIND, 0);
  if (tree) rows.add(idToBytes(tree), 0, ObjectKind.tree, 0);
}

function cut(
  ids: readonly Id[],
  set: number,
  lower: string,
  upper: Uint8Array,
  hasher: Hasher,
): IdRange[] {
  const ranges: IdRange[] = [];
  let from = lower;
  for (let i = 1; i <= CHILDREN; i++) {
    const last = Math.floor(ids.length * i / CHILDREN) - 1;
    const end = i === CHILDREN ? upper : idToBytes(ids[last]);
    ranges.push(rangeOf(ids, set, from, end, hasher));
    from = hexOf(end);
  }
  return ranges;
}
