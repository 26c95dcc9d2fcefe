/**
 * Tags: movable names, each a log of numbered documents that only grows.
 *
 * @module
 */
import { hexOf } from "@snap/hash";
import { randomHex } from "../hex.ts";
import { encodeDocument } from "./document.ts";
import { StoreError } from "../errors.ts";
import { SAVE_ID_SIZE } from "../header.ts";
import { readSlot, readSureSlot } from "./read_slot.ts";
import type { StoreOptions, WriteStore } from "../store.ts";
import { escapeTagName, unescapeTagName } from "../store_name.ts";
import {
  type AnyTagSlot,
  formatSlot,
  linkAfter,
  type TagBody,
  type TagEntry,
  type TagLink,
  timeAfter,
} from "./tag_log.ts";
import { SlotOrder } from "./slot_order.ts";

/** Most numbers that one append tries, each taken by others meanwhile. */
export const APPEND_ATTEMPTS_MAX = 10_000;

/** Slots that are read at once, and how many at first. */
const BATCH_SIZE = 16, BATCH_SIZE_FIRST = 2;
/** Decimal, from 1. */
const NUMBER = /^[1-9][0-9]{0,15}$/;

/** Options of {@link TagStore.entries}. */
export interface TagEntriesOptions extends StoreOptions {
  /** The numbers of the slots, ascending, where they were listed already. */
  readonly numbers?: readonly number[];
}

/** Options of {@link TagStore}. */
export interface TagStoreOptions {
  /** Save id of the run that appends, 16 bytes. Default: random. */
  readonly saveId?: Uint8Array;
}

/** The known end of a log. */
interface LogEnd {
  /** The last number that is taken; 0 for none. */
  readonly number: number;
  /** The last sound slot. */
  readonly link: TagLink | undefined;
}

/**
 * The tags of a store. Their logs are the only thing that writers race over:
 * a writer that finds a number taken takes the next, so no entry is ever lost.
 *
 * @example A tag that moves
 * ```ts
 * import { MemoryStore } from "@snap/store/memory";
 * import { TagStore } from "@snap/store/format";
 * import { deepStrictEqual, strictEqual } from "node:assert/strict";
 *
 * const tags = new TagStore(new MemoryStore());
 * const time = "2026-11-20T05:46:18.000000000Z";
 * const [tree, record] = ["aa".repeat(32), "bb".repeat(32)];
 * strictEqual(await tags.append("main", { time, tree, record }), 1);
 * strictEqual(await tags.append("main", { time, tree, record }), 2);
 * deepStrictEqual(await tags.names(), ["main"]);
 * ```
 */
export class TagStore {
  readonly #store: WriteStore;
  readonly #saveId: Uint8Array;

  /** Does nothing yet. */
  constructor(store: WriteStore, options?: TagStoreOptions) {
    this.#store = store;
    this.#saveId = options?.saveId ??
      crypto.getRandomValues(new Uint8Array(SAVE_ID_SIZE));
  }

  /**
   * Appends an entry to the log of a tag, which makes it what the tag names.
   *
   * @param body What the entry says; its time becomes later where that of the head is.
   * @returns The number of the slot.
   * @throws {RangeError} If this cannot be the name of a tag.
   * @throws {StoreError} If the store fails, or others are faster for {@link APPEND_ATTEMPTS_MAX} times.
   */
  async append(
    tag: string,
    body: TagBody,
    options?: StoreOptions,
  ): Promise<number> {
    const prefix = prefixOf(tag);
    const fixed = { nonce: randomHex(), saveId: hexOf(this.#saveId) };
    let end: LogEnd = { number: 0, link: undefined };
    for (let attempt = 0; attempt < APPEND_ATTEMPTS_MAX; attempt++) {
      // Listed again after each loss: one step at a time would never catch up with many others.
      end = await this.#lastSound(prefix, end, options);
      const time = timeAfter(body.time, end.link?.head);
      const entry = { ...body, time, ...fixed };
      end = await this.#tryNext(prefix, end, entry, options);
      if (end.link?.entry.nonce === fixed.nonce) return end.number;
    }
    throw busyError(tag, prefix, end.number);
  }

  /**
   * Adds entries of another store to the log of a tag, but those that it has.
   *
   * @param entries The entries, in any order.
   * @returns How many were added.
   * @throws {RangeError} If this cannot be the name of a tag.
   * @throws {StoreError} If the store fails, or others are faster for {@link APPEND_ATTEMPTS_MAX} times.
   */
  async copy(
    tag: string,
    entries: readonly TagEntry[],
    options?: StoreOptions,
  ): Promise<number> {
    const prefix = prefixOf(tag);
    const nonces = new Set<string>();
    let end: LogEnd = { number: 0, link: undefined };
    let count = 0;
    for (const entry of entries) {
      let attempt = 0;
      while (true) {
        if (attempt > 0 || end.number === 0) {
          end = await this.#allSound(prefix, end, nonces, options);
        }
        if (nonces.has(entry.nonce)) break;
        if (attempt++ === APPEND_ATTEMPTS_MAX) {
          throw busyError(tag, prefix, end.number);
        }
        end = await this.#tryNext(prefix, end, entry, options);
        if (end.link !== undefined) nonces.add(end.link.entry.nonce);
        if (end.link?.entry.nonce !== entry.nonce) continue;
        count++;
        break;
      }
    }
    return count;
  }

  /**
   * Reads one slot.
   *
   * @param number The number of the slot.
   * @returns The slot, also if it is damaged, or undefined if there is none.
   * @throws {RangeError} If this cannot be the name of a tag, or the number of a slot.
   * @throws {StoreError} If the store fails.
   */
  async slot(
    tag: string,
    number: number,
    options?: StoreOptions,
  ): Promise<AnyTagSlot | undefined> {
    if (!isNumber(`${number}`)) {
      throw new RangeError(
        `Cannot read tag entry as its number must be 1 or more: found ${number}`,
      );
    }
    return await readSlot(
      this.#store,
      { prefix: prefixOf(tag), number },
      options,
    );
  }

  /**
   * Reads the last slot of a tag, whose head is what the tag names.
   *
   * @returns The slot, also if it is damaged, or undefined if there is no such tag.
   * @throws {RangeError} If this cannot be the name of a tag.
   * @throws {StoreError} If the store fails.
   */
  async newest(
    tag: string,
    options?: StoreOptions,
  ): Promise<AnyTagSlot | undefined> {
    const prefix = prefixOf(tag);
    const number = (await this.#numbers(prefix, options)).at(-1);
    return number === undefined
      ? undefined
      : await readSlot(this.#store, { prefix, number }, options);
  }

  /**
   * Reads the log of a tag, the last entry by time and nonce first; a damaged
   * slot comes after the one that was written after it.
   *
   * @returns Batches of slots, the damaged ones among them.
   * @throws {RangeError} If this cannot be the name of a tag.
   * @throws {StoreError} If the store fails.
   */
  async *entries(
    tag: string,
    options: TagEntriesOptions = {},
  ): AsyncGenerator<AnyTagSlot[]> {
    const prefix = prefixOf(tag);
    const listed = options.numbers ?? await this.#numbers(prefix, options);
    const numbers = listed.toReversed();
    const order = new SlotOrder();
    // The last ones are all that some want.
    let size = BATCH_SIZE_FIRST;
    for (let at = 0; at < numbers.length; at += size, size = BATCH_SIZE) {
      const batch = numbers.slice(at, at + size);
      const reads = batch.map((number) =>
        readSlot(this.#store, { prefix, number }, options)
      );
      await Promise.allSettled(reads); // Whoever started work waits for its end.
      const slots = (await Promise.all(reads))
        .filter((slot) => slot !== undefined);
      const isLast = at + size >= numbers.length;
      const ready = order.add(slots, isLast);
      if (ready.length > 0) yield ready;
    }
  }

  /**
   * Lists the tags.
   *
   * @returns Their names, sorted.
   * @throws {StoreError} If the store fails.
   */
  async names(options?: StoreOptions): Promise<string[]> {
    return [...(await this.lastNumbers(options)).keys()];
  }

  /**
   * Lists the tags and how far each log goes.
   *
   * @returns For each name, sorted, the number of the last slot.
   * @throws {StoreError} If the store fails.
   */
  async lastNumbers(options?: StoreOptions): Promise<Map<string, number>> {
    const logs = await this.logs(options);
    return new Map(Array.from(logs, ([tag, all]) => [tag, all.at(-1)!]));
  }

  /**
   * Lists the tags and the slots of each.
   *
   * @returns For each name, sorted, the numbers of its slots, ascending.
   * @throws {StoreError} If the store fails.
   */
  async logs(options?: StoreOptions): Promise<Map<string, number[]>> {
    const logs = new Map<string, number[]>();
    for await (const batch of this.#store.list("tags/", options)) {
      for (const { name } of batch) {
        const [, segment, digits, ...rest] = name.split("/");
        if (digits === undefined || rest.length > 0 || !isNumber(digits)) {
          continue;
        }
        const tag = unescapeTagName(segment);
        if (tag === undefined) continue;
        const numbers = logs.get(tag);
        if (numbers === undefined) logs.set(tag, [Number(digits)]);
        else numbers.push(Number(digits));
      }
    }
    for (const numbers of logs.values()) numbers.sort((a, b) => a - b);
    return new Map([...logs].sort(([a], [b]) => a < b ? -1 : 1));
  }

  /**
   * Lists the numbers of a log: there are gaps where slots were lost.
   *
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

  /** Finds the end of a log that goes on from where it is known. */
  async #lastSound(
    prefix: string,
    { number, link }: LogEnd,
    options: StoreOptions | undefined,
  ): Promise<LogEnd> {
    const numbers = (await this.#numbers(prefix, options))
      .filter((one) => one > number).reverse();
    for (const one of numbers) {
      const slot = await readSureSlot(
        this.#store,
        { prefix, number: one },
        options,
      );
      if (slot === undefined || slot.damage !== undefined) continue;
      return { number: numbers[0], link: slot };
    }
    return { number: numbers[0] ?? number, link };
  }

  /** The same, with the nonces of all slots on the way. */
  async #allSound(
    prefix: string,
    { number, link }: LogEnd,
    nonces: Set<string>,
    options: StoreOptions | undefined,
  ): Promise<LogEnd> {
    const numbers = (await this.#numbers(prefix, options))
      .filter((one) => one > number);
    for (const one of numbers) {
      const slot = await readSureSlot(
        this.#store,
        { prefix, number: one },
        options,
      );
      if (slot === undefined || slot.damage !== undefined) continue;
      nonces.add(slot.entry.nonce);
      link = slot;
    }
    return { number: numbers.at(-1) ?? number, link };
  }

  /** Puts an entry into the next slot, or finds another there. */
  async #tryNext(
    prefix: string,
    end: LogEnd,
    entry: TagEntry,
    options: StoreOptions | undefined,
  ): Promise<LogEnd> {
    const number = end.number + 1;
    if (!Number.isSafeInteger(number)) throw fullError(prefix);
    const link = linkAfter(end.link, entry);
    const bytes = encodeDocument({
      kind: "TAGE",
      saveId: this.#saveId,
      body: formatSlot(link),
    });
    if (await this.#store.create(prefix + number, bytes, options)) {
      return { number, link };
    }
    // The store may have lost its first answer and asked again: then it is ours.
    const taken = await readSureSlot(
      this.#store,
      { prefix, number },
      options,
    );
    const isSound = taken !== undefined && taken.damage === undefined;
    return { number, link: isSound ? taken : end.link };
  }
}

function busyError(tag: string, prefix: string, number: number): StoreError {
  return new StoreError(
    `Cannot append to tag ${tag}: others have taken ${APPEND_ATTEMPTS_MAX} numbers in a row, up to ${number}`,
    { code: "EAGAIN", action: "create", storeName: prefix + number },
  );
}

function fullError(prefix: string): StoreError {
  const last = Number.MAX_SAFE_INTEGER;
  return new StoreError(
    `Cannot append to ${prefix}: its last number ${last} is taken`,
    { code: "ERANGE", action: "create", storeName: prefix + last },
  );
}

function isNumber(digits: string): boolean {
  return NUMBER.test(digits) && Number.isSafeInteger(Number(digits));
}

function prefixOf(tag: string): string {
  return `tags/${escapeTagName(tag)}/`;
}
