/**
 * Tags: movable names, each a log of numbered documents that only grows.
 *
 * @module
 */
import { randomHex } from "../hex.ts";
import { decodeDocument, encodeDocument } from "./document.ts";
import {
  DocumentSyntaxError,
  NotFoundError,
  StoreError,
  UnsupportedVersionError,
} from "../errors.ts";
import { SAVE_ID_SIZE } from "../header.ts";
import { readDocument } from "./read_document.ts";
import type { StoreOptions, WriteStore } from "../store.ts";
import { escapeTagName, unescapeTagName } from "../store_name.ts";

/** How often an append that loses its race tries the next number. */
export const APPEND_ATTEMPTS_MAX = 10_000;

const BATCH_SIZE = 16;
/** Decimal, from 1. */
const NUMBER = /^[1-9][0-9]{0,15}$/;

/** What an entry of a tag says: the record that the tag has named since some time. */
export interface TagBody {
  /** When: RFC 3339, UTC, nanoseconds. */
  readonly time: string;
  /** Id of the root tree. */
  readonly tree: string;
  /** Id of the record. */
  readonly record: string;
}

/** An entry that can be read. */
export interface TagEntry {
  /** Its number in the log, from 1. */
  readonly number: number;
  /** Its body, with `nonce` and fields that are not known here. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Save id of the run that wrote it, 16 bytes. */
  readonly saveId: Uint8Array;
  /** Not set: the entry is sound. */
  readonly damage?: undefined;
}

/** An entry that cannot be read. It keeps its number: the next one is written after it. */
export interface DamagedTagEntry {
  /** Its number in the log, from 1. */
  readonly number: number;
  /** What is wrong with it. */
  readonly damage: DocumentSyntaxError | UnsupportedVersionError;
}

/** An entry of a tag's log. */
export type TagLogEntry = TagEntry | DamagedTagEntry;

/** Options of {@link TagStore}. */
export interface TagStoreOptions {
  /** Save id of the run that appends, 16 bytes. Default: random. */
  readonly saveId?: Uint8Array;
}

/**
 * The tags of a store. Their logs are the only thing that writers race over:
 * who finds a number taken takes the next, so no entry is ever lost.
 *
 * @typeParam Body What {@link TagStore.append} takes: anything that JSON can hold.
 *
 * @example A tag that moves
 * ```ts
 * import { MemoryStore } from "@snap/store/memory";
 * import { TagStore } from "@snap/store/format";
 * import { deepStrictEqual, strictEqual } from "node:assert/strict";
 *
 * const tags = new TagStore(new MemoryStore());
 * const time = "2026-11-20T05:46:18.000000000Z";
 * strictEqual(await tags.append("main", { time, tree: "aa", record: "bb" }), 1);
 * strictEqual(await tags.append("main", { time, tree: "cc", record: "dd" }), 2);
 * deepStrictEqual(await tags.names(), ["main"]);
 * ```
 */
export class TagStore<Body extends object = TagBody> {
  readonly #store: WriteStore;
  readonly #saveId: Uint8Array;

  /**
   * Does nothing yet.
   *
   * @param store The store that holds the tags.
   * @param options Who appends.
   */
  constructor(store: WriteStore, options?: TagStoreOptions) {
    this.#store = store;
    this.#saveId = options?.saveId ??
      crypto.getRandomValues(new Uint8Array(SAVE_ID_SIZE));
  }

  /**
   * Appends an entry to the log of a tag, which makes it what the tag names.
   *
   * @param tag The name of the tag.
   * @param body What the entry says. `nonce` is added to it.
   * @param options A signal.
   * @returns The number of the entry.
   * @throws {RangeError} If this cannot be the name of a tag.
   * @throws {StoreError} If the store fails, or others are faster for {@link APPEND_ATTEMPTS_MAX} times.
   */
  async append(
    tag: string,
    body: Body,
    options?: StoreOptions,
  ): Promise<number> {
    const prefix = prefixOf(tag);
    const nonce = randomHex();
    const bytes = encodeDocument({
      kind: "TAGE",
      saveId: this.#saveId,
      body: { ...body, nonce },
    });
    let number = 0;
    for (let attempt = 0; attempt < APPEND_ATTEMPTS_MAX; attempt++) {
      // Listed again after each loss: one step at a time would never catch up with many others.
      number =
        Math.max(number, (await this.#numbers(prefix, options)).at(-1) ?? 0) +
        1;
      if (!Number.isSafeInteger(number)) throw fullError(tag, prefix);
      if (await this.#store.create(prefix + number, bytes, options)) {
        return number;
      }
      // The store may have lost its first answer and asked again by itself.
      const taken = await this.#read(prefix, number, options);
      if (taken?.damage === undefined && taken?.body.nonce === nonce) {
        return number;
      }
    }
    throw new StoreError(
      `Cannot append to tag ${tag} as a number must be free after ${APPEND_ATTEMPTS_MAX} attempts: found ${number} taken`,
      { code: "EAGAIN", action: "create", storeName: prefix + number },
    );
  }

  /**
   * Reads one entry.
   *
   * @param tag The name of the tag.
   * @param number The number of the entry.
   * @param options A signal.
   * @returns The entry, also if it is damaged, or undefined if there is none.
   * @throws {RangeError} If this cannot be the name of a tag, or the number of an entry.
   * @throws {StoreError} If the store fails.
   */
  async entry(
    tag: string,
    number: number,
    options?: StoreOptions,
  ): Promise<TagLogEntry | undefined> {
    if (!isNumber(`${number}`)) {
      throw new RangeError(
        `Cannot read tag entry as its number must be 1 or more: found ${number}`,
      );
    }
    return await this.#read(prefixOf(tag), number, options);
  }

  /**
   * Reads what a tag names now.
   *
   * @param tag The name of the tag.
   * @param options A signal.
   * @returns The newest entry, also if it is damaged, or undefined if there is no such tag.
   * @throws {RangeError} If this cannot be the name of a tag.
   * @throws {StoreError} If the store fails.
   */
  async newest(
    tag: string,
    options?: StoreOptions,
  ): Promise<TagLogEntry | undefined> {
    const prefix = prefixOf(tag);
    const number = (await this.#numbers(prefix, options)).at(-1);
    return number === undefined
      ? undefined
      : await this.#read(prefix, number, options);
  }

  /**
   * Reads the log of a tag, newest first.
   *
   * @param tag The name of the tag.
   * @param options A signal.
   * @returns Batches of entries, the damaged ones among them.
   * @throws {RangeError} If this cannot be the name of a tag.
   * @throws {StoreError} If the store fails.
   */
  async *entries(
    tag: string,
    options?: StoreOptions,
  ): AsyncGenerator<TagLogEntry[]> {
    const prefix = prefixOf(tag);
    const numbers = (await this.#numbers(prefix, options)).reverse();
    for (let at = 0; at < numbers.length; at += BATCH_SIZE) {
      const batch = numbers.slice(at, at + BATCH_SIZE);
      const reads = batch.map((n) => this.#read(prefix, n, options));
      await Promise.allSettled(reads); // Whoever started work waits for its end.
      const entries = await Promise.all(reads);
      yield entries.filter((entry) => entry !== undefined);
    }
  }

  /**
   * Lists the tags.
   *
   * @param options A signal.
   * @returns Their names, sorted.
   * @throws {StoreError} If the store fails.
   */
  async names(options?: StoreOptions): Promise<string[]> {
    return [...(await this.heads(options)).keys()];
  }

  /**
   * Lists the tags and how far each log goes.
   *
   * @param options A signal.
   * @returns For each name, sorted, the number of the newest entry.
   * @throws {StoreError} If the store fails.
   */
  async heads(options?: StoreOptions): Promise<Map<string, number>> {
    const heads = new Map<string, number>();
    for await (const batch of this.#store.list("tags/", options)) {
      for (const { name } of batch) {
        const [, segment, digits, ...rest] = name.split("/");
        if (digits === undefined || rest.length > 0 || !isNumber(digits)) {
          continue;
        }
        const tag = unescapeTagName(segment);
        if (tag === undefined) continue;
        heads.set(tag, Math.max(heads.get(tag) ?? 0, Number(digits)));
      }
    }
    return new Map([...heads].sort(([a], [b]) => a < b ? -1 : 1));
  }

  /**
   * Lists the numbers of a log: there are gaps where entries were lost.
   *
   * @param tag The name of the tag.
   * @param options A signal.
   * @returns The numbers, ascending.
   * @throws {RangeError} If this cannot be the name of a tag.
   * @throws {StoreError} If the store fails.
   */
  async numbers(tag: string, options?: StoreOptions): Promise<number[]> {
    return await this.#numbers(prefixOf(tag), options);
  }

  async #numbers(
    prefix: string,
    options: StoreOptions | undefined,
  ): Promise<number[]> {
    const numbers: number[] = [];
    for await (const batch of this.#store.list(prefix, options)) {
      for (const { name } of batch) {
        const digits = name.slice(prefix.length);
        if (isNumber(digits)) numbers.push(Number(digits));
      }
    }
    return numbers.sort((a, b) => a - b);
  }

  async #read(
    prefix: string,
    number: number,
    options: StoreOptions | undefined,
  ): Promise<TagLogEntry | undefined> {
    try {
      const bytes = await readDocument(this.#store, prefix + number, options);
      const { body, saveId } = decodeDocument("TAGE", bytes);
      return { number, body, saveId };
    } catch (error) {
      if (
        error instanceof DocumentSyntaxError ||
        error instanceof UnsupportedVersionError
      ) {
        return { number, damage: error };
      }
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  }
}

function fullError(tag: string, prefix: string): StoreError {
  const last = Number.MAX_SAFE_INTEGER;
  return new StoreError(
    `Cannot append to tag ${tag} as its numbers end at ${last}: found that one taken`,
    { code: "ERANGE", action: "create", storeName: prefix + last },
  );
}

function isNumber(digits: string): boolean {
  return NUMBER.test(digits) && Number.isSafeInteger(Number(digits));
}

function prefixOf(tag: string): string {
  return `tags/${escapeTagName(tag)}/`;
}
