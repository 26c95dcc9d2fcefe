import { type Id, parseId } from "@snap/hash";
import { decodeDocument, encodeDocument } from "@snap/store/format";

/** What a snapshot holds in all. */
export interface Totals {
  /** Entries of every kind, without the root. */
  readonly entryCount: number;
  /** Regular files. */
  readonly fileCount: number;
  /** Directories, without the root. */
  readonly directoryCount: number;
  /** Plain bytes of all files, each hard link counted. */
  readonly byteCount: number;
  /** Entries with extended attributes. */
  readonly xattrCount: number;
  /** Entries with more than one link. */
  readonly hardLinkCount: number;
  /** Files with recorded holes. */
  readonly holeCount: number;
}

/** Some paths of a larger number: enough to tell a person where to look. */
export interface PathSample {
  /** How many there are. */
  readonly count: number;
  /** The first of them, as byte strings of the format. */
  readonly first: readonly string[];
}

/** One save of a snapshot. Written once, never changed. */
export interface SnapshotRecord {
  /** The root tree: the id of the snapshot. */
  readonly tree: Id;
  /** The attribute page of the root. */
  readonly page: Id;
  /** When the save ended, RFC 3339 in UTC with nanoseconds. */
  readonly time: string;
  /** When the save began to read. */
  readonly startTime: string;
  /** The name of the machine. */
  readonly host: string;
  /** The name of the user. */
  readonly user: string;
  /** The absolute path that was saved, as a byte string of the format. */
  readonly source: string;
  /** What the user said about it. */
  readonly message?: string;
  /** What it holds. */
  readonly totals: Totals;
  /** What could not be read, and so is not in it. */
  readonly unreadable: PathSample;
  /** Files that changed while they were read, stored as last read. */
  readonly changed: PathSample;
  /** `reduced` if times, names or attributes could not be read in full. */
  readonly fidelity: "full" | "reduced";
  /** The program that wrote it. */
  readonly program: string;
}

/** The two ids in the name of a record. */
export interface RecordName {
  /** The root tree. */
  readonly tree: Id;
  /** The record. */
  readonly record: Id;
}

/** A record with its name and who wrote it. */
export interface NamedRecord extends SnapshotRecord {
  /** The id of the record. */
  readonly record: Id;
  /** The save id, as 32 hex digits. */
  readonly saveId: string;
}

/** The folder of records in a store. */
export const RECORDS_PREFIX = "snapshots/";

/** The most paths that a record names of those that went wrong. */
export const PATH_SAMPLE_MAX = 20;

/**
 * Encodes a record.
 *
 * @param record The record.
 * @param options The save id (16 bytes) and the salt (32 bytes).
 * @returns The bytes of the document; their BLAKE3 is the record's id.
 */
export function encodeRecord(
  record: SnapshotRecord,
  options: { saveId: Uint8Array; salt: Uint8Array },
): Uint8Array {
  return encodeDocument({
    kind: "RECD",
    saveId: options.saveId,
    salt: options.salt,
    body: { ...record } as unknown as Record<string, unknown>,
  });
}

/**
 * Decodes a record.
 *
 * @param name The name it was read under.
 * @param bytes The bytes of the document.
 * @returns The record.
 * @throws {DocumentSyntaxError} If the bytes are damaged.
 * @throws {SyntaxError} If a field is missing or the record belongs to another tree.
 */
export function decodeRecord(
  name: RecordName,
  bytes: Uint8Array,
): NamedRecord {
  const { body, saveId } = decodeDocument("RECD", bytes);
  checkFields(body, name);
  const record = body as unknown as SnapshotRecord;
  parseId(record.page);
  parseTime(record.time);
  parseTime(record.startTime);
  if (record.tree !== name.tree) {
    throw new SyntaxError(
      `Cannot read record ${name.record} as its name says tree ${name.tree}: found ${record.tree}`,
    );
  }
  let hex = "";
  for (const byte of saveId) hex += byte.toString(16).padStart(2, "0");
  return { ...record, record: name.record, saveId: hex };
}

const TEXTS = [
  "tree",
  "page",
  "time",
  "startTime",
  "host",
  "user",
  "source",
  "program",
];

const COUNTS: readonly (keyof Totals)[] = [
  "entryCount",
  "fileCount",
  "directoryCount",
  "byteCount",
  "xattrCount",
  "hardLinkCount",
  "holeCount",
];

/** Refuses fields that are not what they have to be: others rely on it. */
function checkFields(body: Record<string, unknown>, name: RecordName): void {
  const check = (isGood: boolean, field: string, need: string): void => {
    if (isGood) return;
    throw new SyntaxError(
      `Cannot read record ${name.record} as its field ${field} must be ${need}: found ${typeof body[
        field
      ]}`,
    );
  };
  for (const field of TEXTS) {
    check(typeof body[field] === "string", field, "text");
  }
  const { message, fidelity, totals, unreadable, changed } = body;
  const isText = message === undefined || typeof message === "string";
  check(isText, "message", "text");
  const isFidelity = fidelity === "full" || fidelity === "reduced";
  check(isFidelity, "fidelity", "full or reduced");
  const counts = isObject(totals) ? COUNTS.map((one) => totals[one]) : [NaN];
  check(counts.every(isCount), "totals", "counts");
  check(isSample(unreadable), "unreadable", "a count and paths");
  check(isSample(changed), "changed", "a count and paths");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && value as number >= 0;
}

function isSample(value: unknown): boolean {
  return isObject(value) && isCount(value.count) &&
    Array.isArray(value.first) &&
    value.first.every((path) => typeof path === "string");
}

/**
 * Names a record in a store.
 *
 * @param name The ids of tree and record.
 * @returns The name.
 */
export function formatRecordName(name: RecordName): string {
  return `${RECORDS_PREFIX}${name.tree}-${name.record}`;
}

/**
 * Takes the name of a record apart.
 *
 * @param text The name in the store.
 * @returns The two ids, or `undefined` if `text` names no record.
 */
export function parseRecordName(text: string): RecordName | undefined {
  const match = /^snapshots\/([0-9a-f]{64})-([0-9a-f]{64})$/.exec(text);
  if (match === null) return undefined;
  return { tree: parseId(match[1]), record: parseId(match[2]) };
}

/**
 * Formats a time for a record.
 *
 * @param sec Seconds since 1970.
 * @param ns Nanoseconds of that second.
 * @returns RFC 3339 in UTC with nanoseconds.
 */
export function formatTime(sec: number, ns: number): string {
  const date = new Date(sec * 1000).toISOString();
  return `${date.slice(0, -5)}.${String(ns).padStart(9, "0")}Z`;
}

/**
 * Parses a time of a record.
 *
 * @param text RFC 3339 in UTC.
 * @returns Seconds since 1970 and nanoseconds of that second.
 * @throws {SyntaxError} If `text` is no such time.
 */
export function parseTime(text: string): { sec: number; ns: number } {
  const match = /^(.{19})(?:\.(\d{1,9}))?Z$/.exec(text);
  const ms = match === null ? NaN : Date.parse(`${match[1]}Z`);
  if (Number.isNaN(ms)) {
    throw new SyntaxError(
      `Cannot read time as it must be like 2026-11-20T05:46:18.000000000Z: found ${text}`,
    );
  }
  return { sec: ms / 1000, ns: Number((match![2] ?? "").padEnd(9, "0")) };
}
