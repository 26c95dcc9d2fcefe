import type { Hasher } from "@snap/hash";
import { INDEX_PREFIX, PACK_PREFIX } from "@snap/pack";
import { listPacks, replacedTables } from "@snap/pack/index";
import { openIndex } from "@snap/pack/read";
import { dropPacks } from "@snap/pack/write";
import { parseRecordName, RECORDS_PREFIX } from "@snap/snapshot/records";
import {
  type PruneStore,
  type StoreEntry,
  StoreError,
  type StoreOptions,
} from "@snap/store";
import { createVoid, type WrittenStep } from "@snap/store/removal";
import { removeLeases } from "./leases.ts";

/** Files that are removed at once: far away each costs a round trip. */
const REMOVALS_AT_ONCE = 16;

/** What {@linkcode carryOut} works with. */
export interface RemovalTools extends StoreOptions {
  readonly store: PruneStore;
  readonly hasher: Hasher;
  /** Save id of this run. */
  readonly saveId: Uint8Array;
  readonly now: () => number;
  /** Whether all that records need was seen to be there, so that the index may forget packs that are lost. */
  readonly dropsLost: boolean;
  /** Index tables that were replaced before the round began: whoever may have opened them is over. */
  readonly tables: readonly StoreEntry[];
  /** Told of each pack that was removed. */
  readonly onRemoved: (pack: StoreEntry) => void;
}

/** Does what the last step of a round says; all of it may have been done before, or a part. */
export async function carryOut(
  steps: readonly WrittenStep[],
  final: WrittenStep & { readonly step: "final" },
  tools: RemovalTools,
): Promise<void> {
  const { store, hasher, saveId, now, signal, dropsLost } = tools;
  const options = { signal };
  for (const save of final.void) {
    await createVoid(store, save, final.number, { saveId, signal });
  }
  const suspects = steps.flatMap((one) =>
    one.step === "suspects" ? one.saves : []
  );
  await removeLeases(store, [...suspects, ...final.ended], options);
  const removed = new Set(final.packs.map(nameOfPack));
  const drop = async (): Promise<void> => {
    try {
      await dropPacks({ store, hasher }, { removed, dropsLost, now, signal });
    } catch (error) {
      // A table that is damaged stays: what it says of a pack that is gone is not believed.
      if (!(error instanceof SyntaxError)) throw error;
    }
  };
  // Before the packs, so that no table tells of one that is gone: on a full disk
  // afterwards, as then there is room.
  const isFull = await isDiskFull(drop);
  await removeAll(store, tools.tables.map(({ name }) => name), options);
  const there = (await listPacks(store, options)).packs()
    .filter(({ name }) => removed.has(name));
  await removeAll(store, there.map(({ name }) => name), options, (number) => {
    tools.onRemoved(there[number]);
  });
  if (isFull) await drop();
  await removeRecords(store, new Set(final.void), options);
}

/** Codes of a disk that is full. */
const FULL_CODES: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

/** Writes something; tells whether the disk is too full for it. */
export async function isDiskFull(
  write: () => Promise<unknown>,
): Promise<boolean> {
  try {
    await write();
    return false;
  } catch (error) {
    if (error instanceof StoreError && FULL_CODES.has(error.code)) return true;
    throw error;
  }
}

/** Lists the tables of the index that others replace. */
export async function replacedFiles(
  store: PruneStore,
  options: StoreOptions & { readonly hasher: Hasher },
): Promise<StoreEntry[]> {
  const { signal } = options;
  const { index } = await openIndex(store, options);
  const replaced = replacedTables(index.tables);
  const files: StoreEntry[] = [];
  for await (const batch of store.list(INDEX_PREFIX, { signal })) {
    files.push(...batch.filter(({ name }) => replaced.has(name)));
  }
  return files;
}

/** Removes steps below the last one, which nobody reads any more. */
export async function removeSteps(
  store: PruneStore,
  last: number,
  options: StoreOptions,
): Promise<void> {
  const numbers: number[] = [];
  for await (const batch of store.list("gc/", options)) {
    for (const { name } of batch) {
      const digits = /^gc\/([1-9]\d{0,15})$/.exec(name)?.[1];
      if (digits !== undefined && Number(digits) < last) {
        numbers.push(Number(digits));
      }
    }
  }
  // The first ones first: who reads down from the last finds no gap above them.
  numbers.sort((a, b) => a - b);
  for (const number of numbers) await store.remove(`gc/${number}`, options);
}

async function removeRecords(
  store: PruneStore,
  voids: ReadonlySet<string>,
  options: StoreOptions,
): Promise<void> {
  if (voids.size === 0) return;
  const names: string[] = [];
  for await (const batch of store.list(RECORDS_PREFIX, options)) {
    for (const { name } of batch) {
      const file = parseRecordName(name);
      if (file !== undefined && voids.has(file.writer)) names.push(name);
    }
  }
  await removeAll(store, names, options);
}

async function removeAll(
  store: PruneStore,
  names: readonly string[],
  options: StoreOptions,
  onRemoved?: (number: number) => void,
): Promise<void> {
  const left = names.entries();
  const remove = async (): Promise<void> => {
    for (const [number, name] of left) {
      options.signal?.throwIfAborted();
      await store.remove(name, options);
      onRemoved?.(number);
    }
  };
  const removals = Array.from({ length: REMOVALS_AT_ONCE }, remove);
  await Promise.allSettled(removals); // Whoever started work waits for its end.
  await Promise.all(removals);
}

/** Names a pack by the hex digits of its id. */
export function nameOfPack(id: string): string {
  return `${PACK_PREFIX}${id.slice(0, 2)}/${id}`;
}
