import type { PruneStore, ReadStore, StoreOptions } from "@snap/store";
import { isRunGone } from "@snap/store/owner";
import {
  type LeaseHolder,
  LEASES_PREFIX,
  type LeaseState,
  listLeases,
  readLease,
  type WrittenStep,
} from "@snap/store/removal";
import { parseTime } from "@snap/snapshot/records";

/** What a run does that removes: nobody waits for it, as it writes no record. */
export const PRUNE_ACTION = "prune";
/** A lease that has not moved for so long is that of a run that is gone. */
const STILL_MS = 30 * 60_000;
/** A step that is so far ahead of the clock was written by another clock. */
const AHEAD_MS = 60_000;

/** A run that has to end before anything is removed. */
export interface PruneHolder extends LeaseHolder {
  /** Its save id, 32 hex digits. */
  readonly saveId: string;
}

/** The leases of a store. */
export interface SortedLeases {
  /** Those that are waited for, with the last number of each. */
  readonly holders: Readonly<Record<string, number>>;
  /** Those that are over. */
  readonly ended: readonly string[];
  /** Those of other runs that remove. */
  readonly pruners: readonly string[];
}

/** Tells which leases are waited for. */
export async function sortLeases(
  store: ReadStore,
  options: StoreOptions,
): Promise<SortedLeases> {
  const holders: Record<string, number> = {};
  const ended: string[] = [], pruners: string[] = [];
  const leases = await listLeases(store, { ...options, checksEnds: true });
  for (const [saveId, { number, isOver }] of leases) {
    if (isOver) ended.push(saveId);
    else {
      const { action } = await readHolder(store, saveId, options);
      if (action === PRUNE_ACTION) pruners.push(saveId);
      else holders[saveId] = number;
    }
  }
  return { holders, ended, pruners };
}

/** Reads who holds a lease; of a damaged one nothing is known. */
export async function readHolder(
  store: ReadStore,
  saveId: string,
  options: StoreOptions,
): Promise<PruneHolder> {
  const unknown = { saveId, time: "", host: "", program: "", action: "" };
  try {
    const known = await readLease(store, saveId, options);
    return { ...unknown, ...known };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return unknown;
  }
}

/** What has become of the leases that a step names. */
export interface HolderStates {
  /** Those that are not over, and may be alive. */
  readonly waiting: readonly string[];
  /** Those that were killed, as far as that is known, or have not moved for half an hour. */
  readonly suspects: readonly string[];
  /** The step to write anew: after half an hour some are alive, or its clock was another. */
  readonly renewed: Readonly<Record<string, number>> | undefined;
}

/** Looks what has become of the leases that a step names. */
export async function lookAtHolders(
  store: PruneStore,
  step: WrittenStep & { readonly step: "holders" },
  options: StoreOptions & {
    readonly now: () => number;
    /** Whether nobody writes, so that every lease is one that was left. */
    readonly isAlone: boolean;
  },
): Promise<HolderStates> {
  const { signal } = options;
  const leases = await listLeases(store, { signal, checksEnds: true });
  const { sec, ns } = parseTime(step.time);
  const elapsedMs = options.now() - (1000 * sec + ns / 1e6);
  const waiting: string[] = [], suspects: string[] = [];
  const left: Record<string, number> = {};
  for (const [saveId, number] of Object.entries(step.leases)) {
    const state: LeaseState | undefined = leases.get(saveId);
    if (state === undefined || state.isOver) continue;
    left[saveId] = state.number;
    const isStill = state.number === number && elapsedMs >= STILL_MS;
    // One that lives and is suspected fails in the end, and loses nothing else.
    const isSuspect = options.isAlone || isStill ||
      await isRunGone(store, saveId);
    (isSuspect ? suspects : waiting).push(saveId);
  }
  const isStale = elapsedMs >= STILL_MS || elapsedMs < -AHEAD_MS;
  const renewed = waiting.length > 0 && isStale ? left : undefined;
  return { waiting, suspects, renewed };
}

/** Removes leases; what says that one is over goes last. */
export async function removeLeases(
  store: PruneStore,
  saveIds: Iterable<string>,
  options: StoreOptions,
): Promise<void> {
  const wanted = new Set(saveIds);
  if (wanted.size === 0) return;
  const names: string[] = [];
  for await (const batch of store.list(LEASES_PREFIX, options)) {
    for (const { name } of batch) {
      const [, saveId] = name.split("/");
      if (wanted.has(saveId)) names.push(name);
    }
  }
  names.sort((a, b) => Number(isEnd(a)) - Number(isEnd(b)));
  for (const name of names) await store.remove(name, options);
}

function isEnd(name: string): boolean {
  return name.endsWith("/end");
}
