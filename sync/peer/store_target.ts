import { equalBytes, type Hasher, ID_SIZE } from "@snap/hash";
import { ObjectKind } from "@snap/pack";
import type { CheckedFrame } from "@snap/pack/sink";
import { type ObjectWriter, openObjectWriter } from "@snap/pack/write";
import { IdSet, type ObjectReads } from "@snap/snapshot/reach";
import { copyRecord, listRecordNames } from "@snap/snapshot/records";
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

/** Parts of a {@linkcode StoreTarget}. */
export interface StoreTargetOptions extends SessionOptions {
  readonly store: WriteStore;
  readonly hasher: Hasher;
  readonly settings: StoreSettings;
}

/** Objects and records into a store in this process. */
export class StoreTarget implements Target {
  readonly settings: StoreSettings;
  readonly writer: ObjectWriter;
  readonly #options: StoreTargetOptions;
  #promised = new IdSet();
  #threads: SinkThreads[] = [];
  #unproven: LargeObject[] = [];
  /** What was opened to read bases. */
  #bases: Promise<StoreSource> | undefined;
  #recordCount = 0;
  #isFinished = false;

  /** Made by {@linkcode openStoreTarget}. */
  constructor(options: StoreTargetOptions, writer: ObjectWriter) {
    this.#options = options;
    this.settings = options.settings;
    this.writer = writer;
  }

  get trustsRecords(): boolean {
    return this.writer.trustsRecords && this.#options.recheck !== true;
  }

  get reader(): ObjectReads {
    return {
      readObject: async (...about) => {
        this.#bases ??= openStoreSource(this.#options);
        return await (await this.#bases).reader.readObject(...about);
      },
    };
  }

  missing(objects: ObjectList): Promise<Uint8Array> {
    const { ids, kinds, count } = objects;
    const sink = this.writer.sink();
    const { content, recipe, tree, attributes } = ObjectKind;
    const bits = new Uint8Array(count);
    for (let row = 0; row < count; row++) {
      const at = ID_SIZE * row, kind = kinds[row];
      if (!this.#promised.add(ids, at, 0, kind)) continue;
      if (sink.has(ids, at, kind as ObjectKind)) continue;
      // A recipe stands for its object where all packs are there that it relies on.
      const isLarge = kind === content || kind === tree || kind === attributes;
      const isProof = isLarge && this.writer.trustsRecords;
      if (isProof && sink.has(ids, at, recipe)) continue;
      bits[row] = 1;
    }
    return Promise.resolve(bits);
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
    const { store, env = systemEnv, signal } = this.#options;
    const how = signal === undefined ? {} : { signal };
    for (const { record, bytes } of documents) {
      // One run of a writer writes one record under its own id.
      const saveId = this.#recordCount++ === 0
        ? this.writer.saveId
        : env.random(16);
      await copyRecord(store, record, bytes, { ...how, saveId });
    }
    return { count: documents.length, missing: new ObjectRows() };
  }

  async confirm(): Promise<void> {
    await this.writer.confirm();
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
        const id = await source.identify(large, this.#options.proofs);
        if (
          typeof id !== "object" || !equalBytes(id, 0, large.id, 0, ID_SIZE)
        ) {
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
  const writer = await openObjectWriter(store, {
    ...how,
    saveId: env.random(16),
    hasher,
    settings,
    mode: options.dryRun === true ? "count" : "new",
    random: (size) => env.random(size),
    now: () => env.now(),
    finishedSaves: async () => {
      const records = await listRecordNames(store, how);
      return new Set(records.map(({ writer }) => writer));
    },
  });
  return new StoreTarget(options, writer);
}
