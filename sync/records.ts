import {
  type Hasher,
  hexOf,
  type Id,
  idFromBytes,
  idToBytes,
} from "@snap/hash";
import type { RecordName } from "@snap/snapshot/records";
import type { IdRange } from "./protocol/sections.ts";
import type { RecordDifference, RecordSet } from "./peer/peer.ts";

/** Makes a set: each record once, sorted. */
export function recordSet(
  live: Iterable<RecordName>,
  forgotten: Iterable<Id>,
): RecordSet {
  const byId = new Map<Id, RecordName>();
  for (const { tree, record } of live) byId.set(record, { tree, record });
  return {
    live: [...byId.values()].sort((a, b) => a.record < b.record ? -1 : 1),
    forgotten: [...new Set(forgotten)].sort(),
  };
}

/** Says what two sides have not in common. */
export function difference(
  here: RecordSet,
  there: RecordSet,
): RecordDifference {
  return { here: without(here, there), there: without(there, here) };
}

function without(set: RecordSet, other: RecordSet): RecordSet {
  const live = new Set(other.live.map(({ record }) => record));
  const forgotten = new Set(other.forgotten);
  return {
    live: set.live.filter(({ record }) => !live.has(record)),
    forgotten: set.forgotten.filter((id) => !forgotten.has(id)),
  };
}

/** Ids of one of the two sets, sorted. */
export function idsOf(set: RecordSet, number: number): readonly Id[] {
  return number === 0 ? set.live.map(({ record }) => record) : set.forgotten;
}

/** Takes the fingerprint of the ids behind one and up to another. */
export function rangeOf(
  ids: readonly Id[],
  set: number,
  lower: string,
  upper: Uint8Array,
  hasher: Hasher,
): IdRange {
  const some = within(ids, lower, upper);
  const bytes = new Uint8Array(32 * some.length);
  some.forEach((id, i) => bytes.set(idToBytes(id), 32 * i));
  const hash = new Uint8Array(32);
  hasher.hashInto(bytes, hash);
  return { upper, count: some.length, set, fingerprint: hash.slice(0, 16) };
}

/** The ids behind one and up to another; all of them are sorted. */
export function within(
  ids: readonly Id[],
  lower: string,
  upper: Uint8Array,
): readonly Id[] {
  return between(ids, (id) => id, lower, hexOf(upper));
}

/** Those of sorted rows whose ids come behind one, and up to another. */
export function between<Row>(
  rows: readonly Row[],
  idOf: (row: Row) => string,
  lower: string,
  last: string,
): readonly Row[] {
  const firstBehind = (id: string): number => {
    let low = 0, high = rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (idOf(rows[middle]) > id) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  return rows.slice(firstBehind(lower), firstBehind(last));
}

/** The upper end of all ids. */
export const LAST_ID: Uint8Array = new Uint8Array(32).fill(255);

/** An id of what came from outside. */
export function idAt(ids: Uint8Array, row: number): Id {
  return idFromBytes(ids, 32 * row);
}

/** Reads bytes back from what `hexOf` has written. */
export function bytesOfHex(text: string): Uint8Array {
  return Uint8Array.from(
    { length: text.length / 2 },
    (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16),
  );
}
