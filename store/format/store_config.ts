/**
 * The config of a store: its identity, under which every cache is filed, and its settings.
 *
 * @module
 */
import { checkFields } from "@snap/hash";
import { encodeDocument } from "./document.ts";
import { NotAStoreError, NotFoundError } from "../errors.ts";
import { randomHex } from "../hex.ts";
import { LEASES_FEATURE, SAVE_ID_SIZE } from "../header.ts";
import { decodeNamed } from "./document_form.ts";
import { timeText } from "./fields.ts";
import { readDocument } from "./read_document.ts";
import { checkNewSettings, type SomeStoreSettings } from "./settings.ts";
import type { ReadStore, StoreOptions, WriteStore } from "../store.ts";

/** Most configs that a store can have had. */
export const CONFIG_COUNT_MAX = 10_000;

/** Config of a store: identity, settings, features. */
export interface StoreConfig {
  /** Number of the config, the newest of the store. */
  readonly number: number;
  /** Random identity of the store, 32 hex digits. */
  readonly storeId: string;
  /** When the store was made: RFC 3339, UTC, nanoseconds. */
  readonly createdAt: string;
  /** Settings, also those that are not known here. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Bits that a reader must know, all of which are known here. */
  readonly readFeatures: number;
  /** Bits that a writer must know, for `checkWriteFeatures`. */
  readonly writeFeatures: number;
}

/** Options of {@link initStore}. */
export interface InitStoreOptions extends StoreOptions {
  /** Save id of the run that makes the store, 16 bytes. Default: random. */
  saveId?: Uint8Array;
}

/** Options of {@link readConfig}. */
export interface ReadConfigOptions extends StoreOptions {
  /** Name of the store in an error. Default: `this place`. */
  location?: string;
}

/**
 * Gives a store its config, unless it has one: of two that race, one wins, and
 * both get the config of the winner. All who write into the store have leases then,
 * so that it may be pruned beside them.
 *
 * @example A store keeps its first config
 * ```ts
 * import { MemoryStore } from "@snap/store/memory";
 * import { initStore } from "@snap/store/format";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const store = new MemoryStore();
 * const first = await initStore(store, { codec: "zstd:3" });
 * deepStrictEqual(await initStore(store, { codec: "lz4" }), first);
 * ```
 *
 * @param settings Settings of a new store; what is left out gets its default.
 * @param options Save id and signal.
 * @returns The config that the store has now.
 * @throws {TypeError} If a setting has the wrong type, or is not known; nothing is written.
 * @throws {RangeError} If a setting is outside its limits; nothing is written.
 * @throws {UnsupportedVersionError} If the store has a config that needs a newer program.
 * @throws {TypeError} If the store lacks a function.
 * @throws {DocumentSyntaxError} If the store has a config that is damaged.
 * @throws {StoreError} If the store fails.
 */
export async function initStore(
  store: WriteStore,
  settings: SomeStoreSettings = {},
  options?: InitStoreOptions,
): Promise<StoreConfig> {
  checkFields({ store }, {
    ...{ action: "make a store", need: "a place that can be written" },
    fields: ["read", "create", "list", "sync"],
  });
  checkNewSettings(settings);
  const saveId = options?.saveId ??
    crypto.getRandomValues(new Uint8Array(SAVE_ID_SIZE));
  const createdAt = timeText(Date.now());
  const body = { storeId: randomHex(), createdAt, settings };
  await store.create(
    "config/1",
    encodeDocument({
      ...{ kind: "CONF", saveId, body },
      writeFeatures: LEASES_FEATURE,
    }),
    options,
  );
  return await readConfig(store, options);
}

/**
 * Reads the newest config of a store.
 *
 * @param options A signal, and what to call the store in an error.
 * @returns The config.
 * @throws {NotAStoreError} If it has none.
 * @throws {UnsupportedVersionError} If it needs a newer program to be read.
 * @throws {DocumentSyntaxError} If it is damaged.
 * @throws {StoreError} If the store fails.
 */
export async function readConfig(
  store: ReadStore,
  options?: ReadConfigOptions,
): Promise<StoreConfig> {
  // Two at once, as nearly every store has one, and far stores answer slowly.
  const reads = [
    readNumber(store, 1, options),
    readNumber(store, 2, options),
  ] as const;
  await Promise.allSettled(reads); // Whoever started work waits for its end.
  let [bytes, next] = await Promise.all(reads);
  if (bytes === undefined) {
    throw new NotAStoreError(
      options?.location ?? "this place",
      "it has no config/1",
    );
  }
  let number = 1;
  while (next !== undefined && number < CONFIG_COUNT_MAX) {
    bytes = next;
    number++;
    next = await readNumber(store, number + 1, options);
  }
  return parseConfig(number, bytes);
}

async function readNumber(
  store: ReadStore,
  number: number,
  options: StoreOptions | undefined,
): Promise<Uint8Array | undefined> {
  try {
    return await readDocument(store, `config/${number}`, options);
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

function parseConfig(number: number, bytes: Uint8Array): StoreConfig {
  const document = decodeNamed(`config/${number}`, bytes);
  const { body, readFeatures, writeFeatures } = document;
  const { storeId, createdAt, settings } = body as unknown as StoreConfig;
  return { number, storeId, createdAt, settings, readFeatures, writeFeatures };
}
