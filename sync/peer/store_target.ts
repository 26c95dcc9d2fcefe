import { equalBytes, type Hasher, hexOf, type Id, ID_SIZE } from "@snap/hash";
import type { CheckedFrame } from "@snap/pack/sink";
import {
  type ObjectWriter,
  openObjectWriter,
  openWriterLease,
} from "@snap/pack/write";
import { IdSet, type ObjectReads } from "@snap/snapshot/reach";
import {
  confirmRecords,
  copyRecord,
  finishedSaves,
  listRecordNames,
  type RecordFile,
} from "@snap/snapshot/records";
import type { WriteStore } from "@snap/store";
import type { StoreSettings } from "@snap/store/format";
import { ObjectRows } from "../object_rows.ts";
import { systemEnv } from "../options.ts";
import { lyingError } from "./lost_object.ts";
import { openStoreSource } from "./open_store_source.ts";
import type { StoreSource } from "./store_source.ts";
import type {
  Committed,
  LargeObject,
  ObjectList,
  RecordDocument,
  SessionOptions,
  SinkThreads,
  Target,
} from "./peer.ts";

/** Ids of new objects that fit into memory, beside the indexes of two stores. */
const CLAIM_SLOTS = 2 ** 19;

/** Parts of a {@linkcode StoreTarget}. */
export interface StoreTargetOptions extends SessionOptions {
  readonly store: WriteStore;
  readonly hasher: Hasher;
  readonly settings: StoreSettings;
  /** Records that will be written, at most. */
  readonly recordCount: number;
}

/** What a {@linkcode StoreTarget} is made of. */
interface StoreTargetParts {
  readonly writer: ObjectWriter;
  /** Save ids of records, one for each. */
  readonly saveIds: readonly Uint8Array[];
  /** Records that count. */
  readonly standing: ReadonlySet<Id>;
}

/** Objects and records into a store in this process. */
export class StoreTarget implements Target {
  readonly settings: StoreSettings;
  readonly writer: ObjectWriter;
  readonly #options: StoreTargetOptions;
  /** Promises of what no sink takes by its id: large objects, and all in a dry run. */
  #promised = new IdSet();
  #threads: SinkThreads[] = [];
  #unproven: LargeObject[] = [];
  /** What was opened to read bases. */
  #bases: Promise<StoreSource> | undefined;
  readonly #saveIds: readonly Uint8Array[];
  readonly #standing: ReadonlySet<Id>;
  readonly #written: RecordFile[] = [];
  #isFinished = false;

  /** Made by {@linkcode openStoreTarget}. */
  constructor(options: StoreTargetOptions, parts: StoreTargetParts) {
    this.#options = options;
    this.settings = options.settings;
    this.writer = parts.writer;
    this.#saveIds = parts.saveIds;
    this.#standing = parts.standing;
  }

  trustsRecord(record: Id): boolean {
    const { recheck } = this.#options;
    return this.writer.trustsRecords && recheck !== true &&
      this.#standing.has(record);
  }

  get reader(): ObjectReads {
    return {
      readObject: async (...about) => {
        this.#bases ??= openStoreSource(this.#options);
        return await (await this.#bases).reader.readObject(...about);
      },
    };
  }

  async missing(objects: ObjectList): Promise<Uint8Array> {
    const { ids, kinds: all, count } = objects;
    const bits = new Uint8Array(count);
    const asked = this.#options.dryRun === true ? this.#promised : new IdSet();
    const fresh = new ObjectRows();
    const rows: number[] = [];
    for (let row = 0; row < count; row++) {
      const at = ID_SIZE * row;
      const isPromised = this.writer.claims.has(ids, at) ||
        this.#promised.has(ids, at, 0, all[row]) ||
        !asked.add(ids, at, 0, all[row]);
      if (isPromised) continue;
      fresh.addRow(objects, row);
      rows.push(row);
    }
    const { signal } = this.#options;
    const how = signal === undefined ? {} : { signal };
    const kinds = fresh.kinds.subarray(0, fresh.count);
    const lack = await this.writer.missing(fresh.ids, kinds, how);
    for (const [i, row] of rows.entries()) bits[row] = lack[i];
    return bits;
  }

  attach(threads: SinkThreads): void {
    this.#threads.push(threads);
  }

  forgetPromises(): void {
    this.#promised = new IdSet();
  }

  takeFrame(frame: CheckedFrame): void {
    const { meter } = this.#options;
    meter.objectsOut += this.writer.sink().takeFrame(frame);
  }

  async settled(): Promise<void> {
    await this.writer.settled();
    this.writer.failure.throwIfAborted();
    if (this.writer.isFull) await this.#makeRoom();
  }

  addRoot(large: LargeObject): void {
    this.#promised.add(large.id, 0, 0, large.kind);
    if (large.isProven) this.#putRoot(large);
    else this.#unproven.push(large);
  }

  async finish(): Promise<void> {
    await this.#prove();
    for (const threads of this.#threads) await threads.finish();
    await this.writer.finish();
    this.#isFinished = true;
    this.#options.meter.bytesOut += this.writer.storedByteCount;
  }

  async commit(documents: readonly RecordDocument[]): Promise<Committed> {
    const { store, signal } = this.#options;
    const how = signal === undefined ? {} : { signal };
    for (const { record, bytes } of documents) {
      const saveId = this.#saveIds[this.#written.length];
      const { tree, record: id } = record;
      this.#written.push({ tree, record: id, writer: hexOf(saveId) });
      await copyRecord(store, record, bytes, { ...how, saveId });
    }
    return { count: documents.length, missing: new ObjectRows() };
  }

  async confirm(): Promise<void> {
    const { store } = this.#options;
    await confirmRecords(store, this.#written, () => this.writer.confirm());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const threads of this.#threads) await threads.close();
    if (!this.#isFinished) await this.writer.giveUp();
    await this.writer[Symbol.asyncDispose]();
    await (await this.#bases?.catch(() => undefined))?.[Symbol.asyncDispose]();
  }

  /** Proves what came from a server: its chunks are read here once more. */
  async #prove(): Promise<void> {
    const unproven = this.#unproven.splice(0);
    if (unproven.length === 0) return;
    this.#options.meter.phase = "prove";
    await this.#makeRoom();
    const source = await openStoreSource(this.#options);
    try {
      for (const large of unproven) {
        const { proofs } = this.#options;
        const isSame = (id: unknown): boolean =>
          id instanceof Uint8Array && equalBytes(id, 0, large.id, 0, ID_SIZE);
        let id = await source.identify(large, proofs);
        // What was kept of earlier runs may be damaged.
        if (proofs !== undefined && !isSame(id)) {
          id = await source.identify(large);
        }
        if (!isSame(id)) {
          throw typeof id === "object"
            ? lyingError(large.id)
            : lyingError(large.id, "a part of it is missing");
        }
        this.#putRoot(large);
      }
    } finally {
      await source[Symbol.asyncDispose]();
    }
  }

  #putRoot({ id, root }: LargeObject): void {
    this.writer.addRecipe([{ id, bytes: root, isRoot: true }]);
    this.#options.meter.objectsOut++;
  }

  async #makeRoom(): Promise<void> {
    for (const threads of this.#threads) await threads.finish();
    const index = await this.writer.makeRoom();
    for (const threads of this.#threads) await threads.reopen(index);
  }
}

/**
 * Opens a store to add to it.
 *
 * @param options The store.
 * @returns The target.
 */
export async function openStoreTarget(
  options: StoreTargetOptions,
): Promise<StoreTarget> {
  const { store, hasher, settings, env = systemEnv, signal } = options;
  const how = signal === undefined ? {} : { signal };
  const saveIds = Array.from(
    { length: Math.max(options.recordCount, 1) },
    () => env.random(16),
  );
  const [saveId, ...others] = saveIds;
  const now = (): number => env.now();
  const isDry = options.dryRun === true;
  const run = { ...how, saveId, saveIds: others.map(hexOf), now };
  const lease = isDry
    ? undefined
    : await openWriterLease(store, { ...run, action: "copy" });
  // A record that stood before the lease may be gone, with what it relied on.
  const listing = listRecordNames(store, {
    ...how,
    ...(lease && { voidSaves: lease.voidSaves }),
  });
  const opening = openObjectWriter(store, {
    ...run,
    lease,
    hasher,
    settings,
    mode: isDry ? "count" : "new",
    claimSlots: CLAIM_SLOTS,
    random: (size) => env.random(size),
    finishedSaves: () => finishedSaves(store, how),
  });
  await Promise.allSettled([listing, opening]); // Whoever started work waits for its end.
  const writer = await opening;
  try {
    const standing = new Set((await listing).map(({ record }) => record));
    return new StoreTarget(options, { writer, saveIds, standing });
  } catch (error) {
    await writer[Symbol.asyncDispose]();
    throw error;
  }
}
