// Who does something with the stores: savers, copiers, readers, and those who forget.
import { deepStrictEqual } from "node:assert/strict";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { formatTime } from "@snap/manifest/time";
import { prune } from "@snap/maintenance/prune";
import {
  type ObjectWriter,
  openObjectWriter,
  openWriterLease,
} from "@snap/pack/write";
import { openSnapshots } from "@snap/snapshot";
import {
  confirmRecords,
  finishedSaves,
  formatRecordName,
  listRecordNames,
  listRecords,
  type NamedRecord,
  type RecordName,
  recordStands,
  type SnapshotRecord,
  tagSnapshot,
  writeRecord,
} from "@snap/snapshot/records";
import { type PruneStore, StoreError } from "@snap/store";
import { TagStore } from "@snap/store/format";
import {
  copySnapshot,
  newMeter,
  type Peer,
  sync,
  SyncError,
  type SyncOptions,
  type SyncReport,
} from "@snap/sync";
import type { Prng } from "../_prng.ts";
import { type Listing, readSnapshot, SMALL_SETTINGS } from "../_snapshots.ts";
import type { Process, Scheduler } from "./scheduler.ts";
import type { SimStore } from "./sim_store.ts";
import { BuiltTree, contentsOf } from "./trees.ts";
import type { TestDirectory } from "../_test_snapshots.ts";

/** Tags of a run. */
export const TAGS: readonly string[] = ["main", "nightly"];

/** A process with a store, and its time and chance. */
export interface Actor {
  readonly process: Process;
  readonly store: SimStore;
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  /** The clock of the machine, in milliseconds since 1970. */
  readonly now: () => number;
  readonly random: (size: number) => Uint8Array;
  /** What was saved, by the ids of trees. */
  readonly saved: Map<string, BuiltTree>;
}

/** Saves a directory, and tags the record. */
export async function saveOnce(
  actor: Actor,
  directory: TestDirectory,
): Promise<void> {
  const { store, process, prng, now, random, saved } = actor;
  const built = new BuiltTree(directory);
  saved.set(built.tree, built);
  const saveId = random(16);
  const { signal } = process.interrupt;
  const run = { saveId, now, signal };
  const lease = await openWriterLease(store, { ...run, action: "save" });
  // Beside each other, as a save does.
  const reading = listRecords(store, {
    ...{ hasher, signal, voidSaves: lease.voidSaves },
  });
  const opening = openObjectWriter(store, {
    ...{ ...run, lease, hasher, settings: SMALL_SETTINGS, random },
    finishedSaves: () => finishedSaves(store, { signal }),
    claimSlots: 4096,
  });
  await Promise.allSettled([reading, opening]);
  await using writer = await opening;
  try {
    const own = (await reading).find(({ host }) => host === process.name);
    built.putInto(
      writer.sink(),
      writer.trustsRecords && own ? saved.get(own.tree) : undefined,
    );
    await writer.finish();
    const ms = now();
    const time = formatTime(Math.floor(ms / 1000), ms % 1000 * 1e6);
    const { tree, page, totals } = built;
    const body = { tree, page, totals, time, startTime: time };
    const record = {
      ...body,
      ...{ host: process.name, user: "ann", source: "/data", program: "test" },
      ...{ unreadable: { count: 0, first: [] }, fidelity: "full" as const },
      changed: { count: 0, first: [] },
    };
    const newest = writer.isRoundOpen ? undefined : own;
    const written = await publish(actor, record, { saveId, writer, newest });
    const tag = prng.pick(TAGS);
    await tagSnapshot({ store }, tag, written, run).catch((error) => {
      // Another has forgotten the record meanwhile.
      if (!(error instanceof StoreError && error.code === "ESTALE")) {
        throw error;
      }
    });
  } catch (error) {
    await writer.giveUp();
    throw error;
  }
}

/** Writes a record, or finds that the newest one says the same. */
async function publish(
  { store, process, random }: Actor,
  record: SnapshotRecord,
  { saveId, writer, newest }: {
    readonly saveId: Uint8Array;
    readonly writer: ObjectWriter;
    readonly newest: NamedRecord | undefined;
  },
): Promise<NamedRecord> {
  const { signal } = process.interrupt;
  const how = { saveId, salt: random(32), signal };
  for (const one of [newest, undefined]) {
    const { record: written, isNewRecord } = await writeRecord(
      { store, hasher },
      record,
      { ...how, ...(one && { newest: one }) },
    );
    const own = isNewRecord ? [written] : [];
    await confirmRecords(store, own, () => writer.confirm());
    if (isNewRecord) return written;
    if (!await recordStands(store, written, { signal })) continue;
    process.records.push({ disk: store.disk, name: formatRecordName(written) });
    return written;
  }
  throw new Error("A new record is written where none stands");
}

/** Copies something between two sides. */
export async function copyOnce(
  { process, prng }: Actor,
  sides: readonly [Peer, Peer],
  options: SyncOptions,
): Promise<SyncReport | undefined> {
  const { signal } = process.interrupt;
  const how: SyncOptions = { ...options, signal };
  const [a, b] = sides;
  switch (prng.below(8)) {
    case 0:
      return await sync(a, b, { ...how, pull: false });
    case 1:
      return await sync(a, b, { ...how, push: false });
    case 2:
      return await sync(a, b, { ...how, recheck: true });
    case 3:
      return await sync(a, b, { ...how, dryRun: true });
    case 4: {
      const live = await recordsOf(a, how);
      if (live.length === 0) return undefined;
      const chosen = prng.pick(live);
      try {
        return await copySnapshot(a, b, chosen, how);
      } catch (error) {
        const isGone = error instanceof SyncError && error.code === "GONE";
        if (!isGone) throw error;
        // Another has forgotten it meanwhile.
        const left = await recordsOf(a, how);
        if (left.some(({ record }) => record === chosen.record)) throw error;
        return undefined;
      }
    }
    default:
      return await sync(a, b, how);
  }
}

async function recordsOf(
  peer: Peer,
  how: SyncOptions,
): Promise<readonly RecordName[]> {
  const session = await peer.connect({ ...how, meter: newMeter() });
  try {
    return (await session.records()).live;
  } finally {
    await session[Symbol.asyncDispose]();
  }
}

/** Reads a snapshot through the store, and checks that it is what was saved. */
export async function readOnce(actor: Actor): Promise<void> {
  const { store, prng } = actor;
  await using snapshots = await openSnapshots(store, { hasher });
  const records = await snapshots.records();
  if (records.length === 0) return;
  const record = prng.pick(records);
  try {
    checkListing(actor, record, await readSnapshot(snapshots, record));
  } catch (error) {
    // Who has forgotten it may have removed what it needs meanwhile.
    const left = await listRecordNames(store);
    if (left.some((one) => one.record === record.record)) throw error;
  }
}

/** Reads all snapshots of a store; gives the ids of their records, sorted. */
export async function readAll(
  actor: Pick<Actor, "saved" | "scheduler"> & { readonly store: PruneStore },
): Promise<string[]> {
  await using snapshots = await openSnapshots(actor.store, { hasher });
  const records = await snapshots.records();
  for (const record of records) {
    checkListing(actor, record, await readSnapshot(snapshots, record));
  }
  return [...new Set(records.map(({ record }) => record))].sort();
}

function checkListing(
  { saved, scheduler }: Pick<Actor, "saved" | "scheduler">,
  { record, tree }: NamedRecord,
  listing: Listing,
): void {
  const expected = saved.get(tree)?.expected;
  if (expected === undefined) {
    scheduler.violate(`Nobody has saved what record ${record} names`);
  }
  try {
    deepStrictEqual(contentsOf(listing), expected);
  } catch (cause) {
    scheduler.violate(`Record ${record} reads as something else`, cause);
  }
}

/** Removes what no record needs, by a clock that may be ahead. */
export async function pruneOnce(
  { store, process, prng, now, random, scheduler }: Actor,
  aheadMs: number,
): Promise<void> {
  const { signal } = process.interrupt;
  await using snapshots = await openSnapshots(store, { hasher });
  await prune(snapshots, {
    ...{ signal, random, host: process.name },
    now: () => now() + aheadMs,
    maxUnused: prng.pick([0.01, 0.05, 0.3]),
    maxRepack: prng.pick([3000, Infinity]),
    recompress: prng.pick([undefined, undefined, "none"]),
    waitMs: prng.pick([0, 0, 5000]),
    sleep: (ms) => scheduler.turn(process, "waits", ms),
  });
}

/** Forgets some records, but not all. */
export async function forgetOnce(
  { store, process, prng }: Actor,
  peer: Peer,
): Promise<void> {
  const { signal } = process.interrupt;
  const names = await listRecordNames(store, { signal });
  if (names.length < 2) return;
  const session = await peer.connect({ meter: newMeter(), signal });
  try {
    const kept = prng.pick(names);
    const gone = names.filter((one) => one !== kept && prng.below(2) === 0);
    await session.forget(gone.map(({ record }) => record));
  } finally {
    await session[Symbol.asyncDispose]();
  }
}

/** A log of a tag, and what it names. */
export interface TagState {
  readonly name: string;
  /** What tells its entries apart, sorted. */
  readonly nonces: readonly string[];
  /** The record that it names. */
  readonly record: string;
}

/** Reads all logs of tags; none may be damaged. */
export async function readTags(store: PruneStore): Promise<TagState[]> {
  const tags = new TagStore(store);
  const states: TagState[] = [];
  for (const name of await tags.names()) {
    const nonces: string[] = [];
    for await (const batch of tags.entries(name)) {
      for (const slot of batch) {
        if (slot.damage !== undefined) throw slot.damage;
        nonces.push(slot.entry.nonce);
      }
    }
    const last = await tags.newest(name);
    if (last === undefined || last.damage !== undefined) continue;
    const { record } = last.head;
    states.push({ name, nonces: nonces.sort(), record });
  }
  return states;
}

/** Ids of the records that a store has forgotten. */
export async function readForgotten(store: PruneStore): Promise<string[]> {
  const prefix = "forgotten/";
  const ids: string[] = [];
  for await (const batch of store.list(prefix)) {
    for (const { name } of batch) ids.push(name.slice(prefix.length));
  }
  return ids;
}
