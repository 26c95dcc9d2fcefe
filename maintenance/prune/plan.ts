import { PackRole } from "@snap/pack";
import type { PackSet } from "@snap/pack/index";
import type { StoreEntry } from "@snap/store";
import type { Marks, PackUse } from "./marks.ts";

/** Packs of one sort below a quarter of the target are joined from this number on. */
const JOIN_COUNT = 8;
/** A pack of more objects counts as full. */
const SMALL_OBJECTS_MAX = 2 ** 14;
/** Most packs of a round. */
export const CONDEMNED_MAX = 10_000;

/** What is done about packs. */
export interface PlanOptions {
  /** The share of a pack that may be of no use, 0 to 1. */
  readonly unusedMax: number;
  /** Most bytes that are written again. */
  readonly repackMax: number;
  /** The size in bytes that a pack should have. */
  readonly packSizeTarget: number;
  /** Packs that are known to be damaged, as hex digits: only repair copies from them. */
  readonly bad: ReadonlySet<string>;
}

/** A pack of which something is needed. */
export interface UsedPack extends StoreEntry {
  readonly use: PackUse;
}

/** What is to be done with the packs of a store. */
export interface PrunePlan {
  /** Packs of which nothing is needed. */
  readonly dead: readonly StoreEntry[];
  /** Packs what is needed of which is written again. */
  readonly repacked: readonly UsedPack[];
  /** Whether limits have left something for another round. */
  readonly isCut: boolean;
}

/** Decides what is done with each pack. */
export function planPrune(
  packs: PackSet,
  marks: Marks,
  options: PlanOptions,
): PrunePlan {
  const dead: StoreEntry[] = [],
    wasteful: UsedPack[] = [],
    small: UsedPack[] = [];
  for (const { name, size } of packs.packs()) {
    const use = marks.uses.get(name);
    if (use === undefined) dead.push({ name, size });
    else if (!options.bad.has(idIn(name))) {
      const pack = { name, size, use };
      if (use.unusedOf(size) > options.unusedMax) wasteful.push(pack);
      else if (isSmall(pack, options)) small.push(pack);
    }
  }
  // What frees most for each byte that is written comes first.
  wasteful.sort((a, b) => b.use.unusedOf(b.size) - a.use.unusedOf(a.size));
  const wanted = [...wasteful, ...joined(small)];
  const repacked = cut(wanted, options.repackMax, CONDEMNED_MAX - dead.length);
  return {
    dead: dead.slice(0, CONDEMNED_MAX),
    repacked,
    isCut: dead.length > CONDEMNED_MAX,
  };
}

function isSmall({ size, use }: UsedPack, options: PlanOptions): boolean {
  return size < options.packSizeTarget / 4 &&
    use.objectCount <= SMALL_OBJECTS_MAX;
}

/** Small packs of each sort of which there are many. */
function joined(small: readonly UsedPack[]): UsedPack[] {
  return Object.values(PackRole).flatMap((role) => {
    const packs = small.filter(({ use }) => use.role === role);
    return packs.length < JOIN_COUNT ? [] : packs;
  });
}

/** As many packs as the limits allow. */
function cut(
  packs: readonly UsedPack[],
  byteMax: number,
  countMax: number,
): UsedPack[] {
  let byteCount = 0;
  const chosen: UsedPack[] = [];
  for (const pack of packs) {
    if (chosen.length >= countMax) break;
    if (byteCount + pack.use.byteCount > byteMax) continue;
    byteCount += pack.use.byteCount;
    chosen.push(pack);
  }
  return chosen;
}

/** The id in the name of a pack. */
export function idIn(packName: string): string {
  return packName.slice(packName.lastIndexOf("/") + 1);
}
