import type { PackFile } from "./pack.ts";

/** Most parts of a store. */
const PARTS_MAX = 1_000_000;

/** A part of all packs. */
export interface PackPart {
  /** Number of the part, from 1. */
  readonly number: number;
  /** Number of parts. */
  readonly count: number;
}

/**
 * Chooses a part of the packs of a store by their ids alone: a pack is in the same
 * part on each day, so that all parts together are all packs.
 *
 * @param part The part.
 * @returns What `verify` takes as its packs.
 * @throws {RangeError} If there is no such part.
 *
 * @example Half of a store tonight, the other half tomorrow
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { openSnapshots } from "@snap/snapshot";
 * import { packsOfPart, verify } from "@snap/snapshot/verify";
 * import { initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { strictEqual } from "node:assert/strict";
 *
 * const store = new MemoryStore();
 * await initStore(store, {});
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * const packs = packsOfPart({ number: 1, count: 2 });
 * const report = await verify(snapshots, { data: true, packs });
 * strictEqual(report.damageCount, 0);
 * ```
 */
export function packsOfPart(
  { number, count }: PackPart,
): (pack: Pick<PackFile, "id">) => boolean {
  const isPart = Number.isInteger(number) && Number.isInteger(count) &&
    number >= 1 && number <= count && count <= PARTS_MAX;
  if (!isPart) {
    throw new RangeError(
      `Cannot take part ${number} of ${count}: parts are numbered from 1, and there are at most ${PARTS_MAX}`,
    );
  }
  return ({ id }) => {
    let rest = 0;
    for (const byte of id) rest = (rest * 256 + byte) % count;
    return rest === number - 1;
  };
}
