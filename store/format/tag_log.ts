/**
 * The log of a tag: entries, and the slots that carry them.
 *
 * @module
 */
import { jsHasher } from "@snap/hash/js-hasher";
import {
  DocumentSyntaxError,
  StoreError,
  type UnsupportedVersionError,
} from "../errors.ts";
import { HEADER_SIZE } from "../header.ts";
import { hexOf } from "@snap/hash";
import { decodeNamed } from "./document_form.ts";

/** The record that a tag has named since some time. */
export interface TagBody {
  /** When: RFC 3339, UTC, nanoseconds. */
  readonly time: string;
  /** Id of the root tree. */
  readonly tree: string;
  /** Id of the record. */
  readonly record: string;
}

/** An entry of a log, the same in every store that has it. */
export interface TagEntry extends TagBody {
  /** Nonce that tells the entry from others: 32 random hex digits. */
  readonly nonce: string;
  /** Save id of the run that set the tag, 32 hex digits. */
  readonly saveId: string;
}

/** An entry, and what is true of all entries up to it in one store. */
export interface TagLink {
  /** The entry. */
  readonly entry: TagEntry;
  /** The last entry so far by time, then nonce: what the tag names. */
  readonly head: TagEntry;
  /** Number of entries so far. */
  readonly count: number;
  /** Sum of the BLAKE3 of their nonces modulo 2^256, 64 hex digits. */
  readonly sum: string;
}

/** A slot that can be read. */
export interface TagSlot extends TagLink {
  /** Its number in the log, from 1. */
  readonly number: number;
  /** Not set: the slot is sound. */
  readonly damage?: undefined;
}

/** A slot that cannot be read. It keeps its number: the next one is written after it. */
export interface DamagedTagSlot {
  /** Its number in the log, from 1. */
  readonly number: number;
  /** Damage of the slot. */
  readonly damage: DocumentSyntaxError | UnsupportedVersionError;
}

/** A slot of a tag's log. */
export type AnyTagSlot = TagSlot | DamagedTagSlot;

/** The tree and the record of an entry that names nothing: the tag is deleted. */
export const NO_RECORD: string = "0".repeat(64);

const SUM_END = 1n << 256n;
const TIME_END = "9999-12-31T23:59:59.999999999Z";

/**
 * Compares entries by time, then nonce.
 *
 * @param a An entry.
 * @param b Another.
 * @returns Negative if `a` is before `b`, 0 if they are one, else positive.
 */
export function compareEntries(a: TagEntry, b: TagEntry): number {
  if (a.time !== b.time) return a.time < b.time ? -1 : 1;
  return a.nonce === b.nonce ? 0 : a.nonce < b.nonce ? -1 : 1;
}

/**
 * Puts an entry behind a slot.
 *
 * @param previous The last sound slot, unless there is none.
 * @param entry The entry, whose nonce no slot has.
 * @returns What the next slot says.
 */
export function linkAfter(
  previous: TagLink | undefined,
  entry: TagEntry,
): TagLink {
  const hash = new Uint8Array(32);
  const nonce = Uint8Array.from(
    { length: 16 },
    (_, i) => parseInt(entry.nonce.slice(2 * i, 2 * i + 2), 16),
  );
  jsHasher.hashInto(nonce, hash);
  const sum = BigInt(`0x${previous?.sum ?? "0"}`) + BigInt(`0x${hexOf(hash)}`);
  const isHead = previous === undefined ||
    compareEntries(entry, previous.head) > 0;
  return {
    entry,
    head: isHead ? entry : previous.head,
    count: (previous?.count ?? 0) + 1,
    sum: (sum % SUM_END).toString(16).padStart(64, "0"),
  };
}

/**
 * The time of a new entry: now, but after the head of the log.
 *
 * @param time What the clock says.
 * @param head The head, if there is one.
 * @throws {StoreError} If the head has the last time that there is.
 */
export function timeAfter(time: string, head: TagEntry | undefined): string {
  if (head === undefined || time > head.time) return time;
  if (head.time >= TIME_END) {
    throw new StoreError(
      `Cannot append to a tag: its last time ${TIME_END} is taken`,
      { code: "ERANGE", action: "create" },
    );
  }
  const ns = Number(head.time.slice(20, 29)) + 1;
  if (ns < 1e9) {
    return `${head.time.slice(0, 20)}${String(ns).padStart(9, "0")}Z`;
  }
  const next = Date.parse(`${head.time.slice(0, 19)}Z`) + 1000;
  return `${new Date(next).toISOString().slice(0, 19)}.000000000Z`;
}

/**
 * Turns a link into the body of a slot.
 *
 * @param link The link.
 * @returns The body.
 */
export function formatSlot(link: TagLink): Record<string, unknown> {
  const { entry, head, count, sum } = link;
  return { ...entry, head, count, sum };
}

/**
 * Reads a slot.
 *
 * @param name Its name in the store.
 * @param bytes All of its bytes.
 * @returns The slot.
 * @throws {DocumentSyntaxError} If it is damaged.
 * @throws {UnsupportedVersionError} If it needs a newer program.
 */
export function decodeSlot(name: string, bytes: Uint8Array): TagSlot {
  const { body } = decodeNamed(name, bytes);
  const { head, count, sum } = body as unknown as TagLink;
  const entry = entryOf(body as unknown as TagEntry);
  if (compareEntries(entry, head) > 0) {
    throw new DocumentSyntaxError(
      `Cannot read ${name} as its head must not be before its own entry: found ${head.time}`,
      HEADER_SIZE,
    );
  }
  const number = Number(name.slice(name.lastIndexOf("/") + 1));
  return { number, entry, head: entryOf(head), count, sum };
}

function entryOf(body: TagEntry): TagEntry {
  const { time, tree, record, nonce, saveId } = body;
  return { time, tree, record, nonce, saveId };
}
