import type { Hasher, Id } from "@snap/hash";
import { openSnapshots, type Snapshots } from "@snap/snapshot";
import {
  findRecord,
  forgetRecords,
  formatRecordName,
  listForgotten,
  listRecordNames,
  type RecordName,
} from "@snap/snapshot/records";
import {
  NotFoundError,
  type PruneStore,
  type ReadStore,
  type WriteStore,
} from "@snap/store";
import {
  readDocument,
  type TagEntry,
  type TagSlot,
  TagStore,
} from "@snap/store/format";
import type { Right } from "@snap/store/serve";
import { SyncError } from "../errors.ts";
import { systemEnv } from "../options.ts";
import type { TagRow } from "../protocol/sections.ts";
import { bytesOfHex, difference, recordSet } from "../records.ts";
import type {
  PeerInfo,
  PeerSession,
  RecordDifference,
  RecordDocument,
  RecordSet,
  SessionOptions,
  Source,
  Target,
} from "./peer.ts";
import { otherRecord } from "./lost_object.ts";
import { openStoreSource } from "./open_store_source.ts";
import { openStoreTarget } from "./store_target.ts";

/** Records that are read at once. */
const READS_AT_ONCE = 16;

/** Parts of a {@linkcode StoreSession}. */
export interface StoreSessionOptions extends SessionOptions {
  readonly store: ReadStore & Partial<PruneStore>;
  readonly hasher: Hasher;
  readonly location: string;
}

/** A store in this process as a side of a sync. */
export class StoreSession implements PeerSession {
  readonly info: PeerInfo;
  readonly isRemote = false;
  readonly requestCount = 0;
  readonly #options: StoreSessionOptions;
  readonly #snapshots: Snapshots;
  /** Records of the store when they are first asked for. */
  #records: Promise<RecordSet> | undefined;

  /** Made by {@linkcode openStoreSession}. */
  constructor(
    options: StoreSessionOptions,
    snapshots: Snapshots,
    info: PeerInfo,
  ) {
    this.#options = options;
    this.#snapshots = snapshots;
    this.info = info;
  }

  records(): Promise<RecordSet> {
    return this.#records ??= this.#list();
  }

  async #list(): Promise<RecordSet> {
    const { store } = this.#options;
    const names = await listRecordNames(store, this.#how);
    return recordSet(names, await listForgotten(store, this.#how));
  }

  async compare(other: RecordSet): Promise<RecordDifference> {
    return difference(await this.records(), other);
  }

  async readRecords(
    names: readonly RecordName[],
  ): Promise<(RecordDocument | undefined)[]> {
    const documents: (RecordDocument | undefined)[] = [];
    for (let at = 0; at < names.length; at += READS_AT_ONCE) {
      const some = names.slice(at, at + READS_AT_ONCE);
      const reads = some.map((name) => this.#readRecord(name));
      await Promise.allSettled(reads); // Whoever started work waits for its end.
      documents.push(...await Promise.all(reads));
    }
    return documents;
  }

  async tags(): Promise<readonly TagRow[]> {
    const tags = this.#tagStore();
    const rows: TagRow[] = [];
    for (const name of await tags.names(this.#how)) {
      const slot = await this.#lastSlot(name);
      if (slot === undefined) continue;
      const { count, sum, head } = slot;
      rows.push({
        name,
        count,
        sum: bytesOfHex(sum),
        head: bytesOfHex(head.nonce),
      });
    }
    return rows;
  }

  async tagEntries(tag: string): Promise<readonly TagEntry[]> {
    const entries: TagEntry[] = [];
    for await (const batch of this.#tagStore().entries(tag, this.#how)) {
      for (const slot of batch) {
        if (slot.damage === undefined) entries.push(slot.entry);
      }
    }
    return entries.reverse();
  }

  async addTagEntries(
    tag: string,
    entries: readonly TagEntry[],
  ): Promise<number> {
    return await this.#tagStore().copy(tag, entries, this.#how);
  }

  async forget(records: readonly Id[]): Promise<void> {
    const store = this.#writable() as PruneStore;
    if (store.remove === undefined) throw rightError(this.info, "remove from");
    const { env = systemEnv } = this.#options;
    await forgetRecords(store, records, {
      ...this.#how,
      now: () => env.now(),
      random: (size) => env.random(size),
    });
  }

  async openSource(): Promise<Source> {
    return await openStoreSource(this.#options);
  }

  async openTarget(recordCount: number): Promise<Target> {
    const { settings } = this.info;
    const store = this.#writable();
    const what = { store, settings, recordCount };
    return await openStoreTarget({ ...this.#options, ...what });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#snapshots[Symbol.asyncDispose]();
  }

  get #how(): { signal?: AbortSignal } {
    const { signal } = this.#options;
    return signal === undefined ? {} : { signal };
  }

  async #readRecord(name: RecordName): Promise<RecordDocument | undefined> {
    const { store, hasher } = this.#options;
    try {
      const record = await findRecord(store, name, { ...this.#how, hasher });
      const file = formatRecordName(record);
      const bytes = await readDocument(store, file, this.#how);
      if (hasher.idOf(bytes) === name.record) return { record, bytes };
      throw otherRecord(name, this.info.location);
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  }

  #tagStore(): TagStore {
    // Reading needs no more than a store to read.
    return new TagStore(this.#options.store as WriteStore);
  }

  /** The last slot of a log that is sound. */
  async #lastSlot(tag: string): Promise<TagSlot | undefined> {
    const tags = this.#tagStore();
    for (const number of (await tags.numbers(tag, this.#how)).reverse()) {
      const slot = await tags.slot(tag, number, this.#how);
      if (slot !== undefined && slot.damage === undefined) return slot;
    }
    return undefined;
  }

  #writable(): WriteStore {
    const { store } = this.#options;
    if (store.create === undefined) throw rightError(this.info, "write to");
    return store as WriteStore;
  }
}

/**
 * Opens a store as a side of a sync.
 *
 * @param options The store.
 * @returns The session.
 */
export async function openStoreSession(
  options: StoreSessionOptions,
): Promise<StoreSession> {
  const { store, location } = options;
  const snapshots = await openSnapshots(store, options);
  const right: Right = store.create === undefined
    ? "read"
    : store.remove === undefined
    ? "append"
    : "prune";
  const info = {
    location,
    storeId: snapshots.config.storeId,
    settings: snapshots.settings,
    right,
  };
  return new StoreSession(options, snapshots, info);
}

function rightError({ location }: PeerInfo, action: string): SyncError {
  return new SyncError(`Cannot ${action} ${location}: it may only be read`, {
    code: "RIGHT",
    hint: "Ask for a token that allows more",
  });
}
