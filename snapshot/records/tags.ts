/**
 * Tags of snapshots: names whose logs say which records they have named.
 *
 * @module
 */
import { type Id, parseId } from "@snap/hash";
import {
  type ReadStore,
  StoreError,
  type StoreOptions,
  type WriteStore,
} from "@snap/store";
import { type AnyTagSlot, NO_RECORD, TagStore } from "@snap/store/format";
import { formatTime } from "@snap/manifest/time";
import type { RecordName } from "./record.ts";
import { listRecordNames } from "./records.ts";

/** A store with its tags, as `Snapshots` is one. */
export interface TagSource<Store extends ReadStore = ReadStore> {
  /** The store. */
  readonly store: Store;
}

/** Options of {@linkcode tagSnapshot}. */
export interface TagSnapshotOptions extends StoreOptions {
  /**
   * Save id of the run, 16 bytes; random if left out. That of the record says
   * that it was saved after all that the tag has named before.
   */
  saveId?: Uint8Array;
  /** The clock, in milliseconds since 1970. */
  now?: () => number;
}

/** An entry of a tag's log. */
export interface TaggedRecord {
  /** The number of the slot in the log of the tag, from 1. */
  readonly number: number;
  /** When the tag was set, RFC 3339 in UTC; empty when the entry is damaged. */
  readonly time: string;
  /** The record, unless the entry is damaged, or deletes the tag. */
  readonly name?: RecordName;
  /** Damage of the entry. */
  readonly damage?: SyntaxError | Error;
}

/** A tag, the number of its last slot, and what it names now. */
export interface Tag extends TaggedRecord {
  /** The name of the tag. */
  readonly tag: string;
}

/**
 * Sets a tag: adds an entry to its log. What it named before stays there, as
 * `TAG~1` and so on.
 *
 * @example
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { saveEntries } from "@snap/save/entries";
 * import { openSnapshots } from "@snap/snapshot";
 * import { listTags, tagSnapshot } from "@snap/snapshot/records";
 * import { initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { strictEqual } from "node:assert/strict";
 *
 * const store = new MemoryStore();
 * await initStore(store);
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * const { record } = await saveEntries(snapshots, [
 *   { path: "src/mod.ts", content: "export {};" },
 * ], { source: "build" });
 * await tagSnapshot(snapshots, "release", record);
 * const [{ tag }] = await listTags(snapshots);
 * strictEqual(tag, "release");
 * await snapshots.close();
 * ```
 *
 * @param options Save id, clock, what ends the wait.
 * @returns The number of the slot.
 * @throws {RangeError} If this cannot be the name of a tag.
 * @throws {StoreError} If the store fails, or the record was forgotten meanwhile:
 * the tag then names again what it named before.
 */
export async function tagSnapshot(
  snapshots: TagSource<WriteStore>,
  tag: string,
  record: RecordName,
  options: TagSnapshotOptions = {},
): Promise<number> {
  const number = await append(snapshots, tag, record, options);
  // Whoever forgets looks at tags before this entry was there, or after: then it is gone here.
  const { signal } = options;
  const { store } = snapshots;
  const prefix = `${record.tree}-${record.record}-`;
  if ((await listRecordNames(store, { signal, prefix })).length > 0) {
    return number;
  }
  const live = new Set((await listRecordNames(store, { signal })).map(idOf));
  await retreatTag(snapshots, tag, live, options);
  throw new StoreError(
    `Cannot set tag ${tag}: record ${record.record} was forgotten meanwhile`,
    { code: "ESTALE", action: "list" },
  );
}

/**
 * Deletes a tag: adds an entry to its log that names nothing. What it named
 * before stays there, as `TAG~1` and so on, and it can be set again.
 *
 * @param options Save id, clock, what ends the wait.
 * @returns What it named until now; undefined if there is no such tag.
 * @throws {RangeError} If this cannot be the name of a tag.
 * @throws {StoreError} If the store fails.
 */
export async function deleteTag(
  snapshots: TagSource<WriteStore>,
  tag: string,
  options: TagSnapshotOptions = {},
): Promise<TaggedRecord | undefined> {
  const last = await readTags(snapshots.store).newest(tag, options);
  if (last === undefined || isDeleted(last)) return undefined;
  await append(snapshots, tag, NOTHING, options);
  return taggedRecord(last, "head");
}

/**
 * Finds what a tag named before its record went, and is there still.
 *
 * @param live Records that are there.
 * @param options What ends the wait.
 * @returns The record; undefined if there is none since the tag was last deleted.
 * @throws {StoreError} If the store fails.
 */
export async function formerRecord(
  snapshots: TagSource,
  tag: string,
  live: ReadonlySet<Id>,
  options: StoreOptions = {},
): Promise<RecordName | undefined> {
  for await (const batch of tagLog(snapshots, tag, options)) {
    for (const { name, damage } of batch) {
      if (name !== undefined && live.has(name.record)) return name;
      // What it named before it was deleted is another tag's history.
      if (name === undefined && damage === undefined) return undefined;
    }
  }
  return undefined;
}

/**
 * Lets a tag whose record is gone name what it named before, as {@linkcode
 * formerRecord} finds it; where there is nothing, the tag is deleted.
 *
 * @param live Records that are there.
 * @param options Save id, clock, what ends the wait.
 * @returns What it names now; undefined if it is deleted.
 * @throws {StoreError} If the store fails.
 */
export async function retreatTag(
  snapshots: TagSource<WriteStore>,
  tag: string,
  live: ReadonlySet<Id>,
  options: TagSnapshotOptions = {},
): Promise<RecordName | undefined> {
  const found = await formerRecord(snapshots, tag, live, options);
  await append(snapshots, tag, found ?? NOTHING, options);
  return found;
}

const NOTHING: RecordName = {
  tree: parseId(NO_RECORD),
  record: parseId(NO_RECORD),
};

async function append(
  { store }: TagSource<WriteStore>,
  tag: string,
  { tree, record }: RecordName,
  options: TagSnapshotOptions,
): Promise<number> {
  const { now = Date.now } = options;
  const saveId = options.saveId ?? crypto.getRandomValues(new Uint8Array(16));
  const ms = now();
  const time = formatTime(Math.floor(ms / 1000), ms % 1000 * 1_000_000);
  const tags = new TagStore(store, { saveId });
  const append = () => tags.append(tag, { time, tree, record }, options);
  // Only what lies on a disk leaves files behind.
  if (store.localPath === undefined) return await append();
  const { openSpool } = await import("@snap/store/owner");
  const spool = await openSpool(store, saveId);
  try {
    return await append();
  } finally {
    spool[Symbol.dispose]();
  }
}

function idOf({ record }: RecordName): Id {
  return record;
}

/**
 * Lists the tags, and what each of them names now, without those that are deleted.
 *
 * @returns The tags, by name.
 * @throws {StoreError} If the store fails.
 */
export async function listTags(
  snapshots: TagSource,
  options: StoreOptions = {},
): Promise<Tag[]> {
  const store = readTags(snapshots.store);
  const tags: Tag[] = [];
  for (const [tag, number] of await store.lastNumbers(options)) {
    const slot = await store.slot(tag, number, options);
    if (slot === undefined || isDeleted(slot)) continue;
    tags.push({ tag, ...taggedRecord(slot, "head") });
  }
  return tags;
}

/**
 * Reads the log of a tag, newest first.
 *
 * @returns Batches of what it has named; none if there is no such tag.
 * @throws {RangeError} If this cannot be the name of a tag.
 * @throws {StoreError} If the store fails.
 */
export async function* tagLog(
  snapshots: TagSource,
  tag: string,
  options: StoreOptions = {},
): AsyncGenerator<TaggedRecord[], void, void> {
  for await (const batch of readTags(snapshots.store).entries(tag, options)) {
    yield batch.map((slot) => taggedRecord(slot));
  }
}

/** Only what reads is called, which needs no more than a store to read from. */
function readTags(store: ReadStore): TagStore {
  return new TagStore(store as WriteStore);
}

/**
 * Reads the record that a slot of a tag's log names.
 *
 * @param slot The slot, also a damaged one.
 * @param part Its own entry, or what the tag names if this is its last slot.
 * @returns The record, and since when.
 */
export function taggedRecord(
  slot: AnyTagSlot,
  part: "entry" | "head" = "entry",
): TaggedRecord {
  const { number } = slot;
  if (slot.damage !== undefined) {
    return { number, time: "", damage: slot.damage };
  }
  const { time, tree, record } = slot[part];
  if (record === NO_RECORD) return { number, time };
  const name = { tree: parseId(tree), record: parseId(record) };
  return { number, time, name };
}

/**
 * Whether the last slot of a log says that the tag is deleted.
 *
 * @param last The last slot of the log.
 */
export function isDeleted(last: AnyTagSlot): boolean {
  return last.damage === undefined && last.head.record === NO_RECORD;
}
