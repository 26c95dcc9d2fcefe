import { type Hasher, ID_SIZE } from "@snap/hash";
import { SyncError } from "../errors.ts";
import { CURSOR_SIZE_MAX, joined } from "../protocol/sections.ts";
import {
  type Message,
  type Section,
  SectionKind,
  sectionOf,
  Verb,
} from "../protocol/message.ts";

/** The mark of a server on its own cursors. */
export interface Marker {
  readonly hasher: Hasher;
  /** 32 bytes that only the server knows. */
  readonly macKey: Uint8Array;
}

/** Marks where a walk goes on: for other records that says nothing. */
export interface CursorMarker extends Marker {
  /** The hash of the records that were asked for, 32 bytes. */
  readonly about: Uint8Array;
}

/** The mark of the cursors of a message, and of its session where it commits. */
export function cursorMarker(
  { hasher, macKey }: Marker,
  message: Message,
): CursorMarker {
  const about = new Uint8Array(ID_SIZE);
  const none = new Uint8Array(0);
  const records = sectionOf(message, SectionKind.ids)?.bytes ?? none;
  // What was found there stays only as long as the lease of the session.
  const session = message.verb === Verb.commit ? message.session : none;
  hasher.hashInto(joined([records, session]), about);
  return { hasher, macKey, about };
}

/** The mark of bytes: BLAKE3 of the key and them, which cannot be made longer. */
export function markOf(
  bytes: readonly Uint8Array[],
  { hasher, macKey }: Marker,
): Uint8Array {
  const mark = new Uint8Array(ID_SIZE);
  hasher.hashInto(joined([macKey, ...bytes]), mark);
  return mark;
}

/** Whether a mark is that of the bytes. */
export function isMarked(
  bytes: readonly Uint8Array[],
  mark: Uint8Array,
  marker: Marker,
): boolean {
  const wanted = markOf(bytes, marker);
  let difference = 0;
  for (let i = 0; i < ID_SIZE; i++) difference |= wanted[i] ^ mark[i];
  return difference === 0;
}

/** Where a walk goes on. */
export interface Cursor {
  /** The record among those that were asked for. */
  readonly record: number;
  /** Rows of the directories down to where it was. */
  readonly place: readonly number[];
  /** Entries that were met before. */
  readonly entryCount: number;
}

/** The beginning of a record. */
export function newCursor(record: number): Cursor {
  return { record, place: [], entryCount: 0 };
}

/** Makes a section of a cursor; undefined if it would be too large. */
export function cursorSection(cursor: Cursor, marker: CursorMarker): Section {
  const text = new TextEncoder().encode(JSON.stringify(cursor));
  if (text.length + ID_SIZE > CURSOR_SIZE_MAX) {
    throw new SyncError(
      `Cannot go on later: the cursor has ${text.length} bytes, more than ${CURSOR_SIZE_MAX}`,
      { code: "LARGE" },
    );
  }
  const bytes = joined([markOf([marker.about, text], marker), text]);
  return { kind: SectionKind.cursor, rows: 1, bytes };
}

/** Reads a section of a cursor that this server has made; the beginning where there is none. */
export function readCursor(
  section: Section | undefined,
  marker: CursorMarker,
): Cursor {
  if (section === undefined || section.bytes.length === 0) {
    return newCursor(0);
  }
  const mark = section.bytes.subarray(0, ID_SIZE);
  const text = section.bytes.subarray(ID_SIZE);
  if (!isMarked([marker.about, text], mark, marker)) {
    throw new SyncError(
      "Cannot go on from a cursor that this server has not made for these records: begin again",
      { code: "SESSION" },
    );
  }
  return JSON.parse(new TextDecoder().decode(text)) as Cursor;
}
