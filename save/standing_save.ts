import type { Snapshots } from "@snap/snapshot";
import type { NamedRecord } from "@snap/snapshot/records";
import type { WriteStore } from "@snap/store";
import type { FoundOnce } from "./found_once.ts";
import type { SaveOptions } from "./options.ts";
import { recordsOfSource } from "./records_of_source.ts";
import { storeState } from "./store_state.ts";

/**
 * Finds the record that stands for a save of a source in which nothing has changed, in
 * a store that is as it was when the record was relied on last. Nothing is written for
 * it, no lease either: whoever forgets the record meanwhile might have done so later.
 *
 * @param snapshots The store.
 * @param options The options of the save.
 * @param search The source as it stands in records, the clock, what finds changes.
 * @returns The record; `undefined` in any doubt, and where the record is to say something else.
 * @throws {StoreError} If the store fails.
 */
export async function findStanding(
  snapshots: Snapshots<WriteStore>,
  options: SaveOptions,
  { sourceText, now, changes }: {
    readonly sourceText: string;
    readonly now: () => number;
    readonly changes: FoundOnce;
  },
): Promise<NamedRecord | undefined> {
  const { store, hasher } = snapshots;
  const { dryRun, host = "", readAll, signal } = options;
  const isFar = store.localPath === undefined;
  if (!changes.canFind || dryRun === true || readAll === true || isFar) return;
  let isSound = true;
  const [record] = await recordsOfSource(snapshots, {
    ...{ sourceText, host, now, signal },
    voidSaves: undefined,
    // The save itself tells of it.
    onDamage: () => void (isSound = false),
  });
  if (!isSound || record === undefined || !saysTheSame(record, options)) return;
  const found = await changes.find(record);
  if (found?.storeState === undefined) return;
  if (found.known?.isSame(new Uint8Array(0)) !== true) return;
  const state = await storeState(store, hasher, { signal });
  return state === found.storeState ? record : undefined;
}

/** Whether a record says what that of the save would say. */
function saysTheSame(
  record: NamedRecord,
  { user = "", message }: SaveOptions,
): boolean {
  return record.user === user && record.message === message &&
    record.unreadable.count === 0 && record.changed.count === 0;
}
