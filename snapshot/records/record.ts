import { hexOf, type Id, parseId } from "@snap/hash";
import { decodeNamed, documentForms, encodeDocument } from "@snap/store/format";

/** Totals of a snapshot. */
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

/** A few paths of a larger number, to tell a person where to look. */
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
  /** Message of the user. */
  readonly message?: string;
  /** Totals of the snapshot. */
  readonly totals: Totals;
  /** Paths that could not be read, and so are not in it. */
  readonly unreadable: PathSample;
  /** Files that changed while they were read, stored as last read. */
  readonly changed: PathSample;
  /** `reduced` if times, names or attributes could not be read in full. */
  readonly fidelity: "full" | "reduced";
  /** The program that wrote it. */
  readonly program: string;
  /** The record of which this one is what was left, where something was lost. */
  readonly repairOf?: Id;
}

/** The two ids of a record. */
export interface RecordName {
  /** The root tree. */
  readonly tree: Id;
  /** The record. */
  readonly record: Id;
}

/** One file of a record: each run that writes the record into a store has its own. */
export interface RecordFile extends RecordName {
  /** Save id of the run that wrote it here, 32 hex digits. */
  readonly writer: string;
}

/** A record with its name and who wrote it. */
export interface NamedRecord extends SnapshotRecord, RecordFile {
  /** Save id of the run that made the record, which copies keep, 32 hex digits. */
  readonly saveId: string;
}

/** The folder of records in a store. */
export const RECORDS_PREFIX = "snapshots/";

/**
 * Encodes a record.
 *
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
 * @param file The file it was read from.
 * @param bytes The bytes of the document.
 * @throws {DocumentSyntaxError} If the bytes are damaged or a field is missing.
 * @throws {SyntaxError} If the record belongs to another tree.
 */
export function decodeRecord(
  file: RecordFile,
  bytes: Uint8Array,
): NamedRecord {
  const name = formatRecordName(file);
  const { body, saveId } = decodeNamed(name, bytes, `record ${file.record}`);
  const record = body as unknown as SnapshotRecord;
  if (record.tree !== file.tree) {
    throw new SyntaxError(
      `Cannot read record ${file.record} as its name says tree ${file.tree}: found ${record.tree}`,
    );
  }
  const { record: id, writer } = file;
  return { ...record, record: id, writer, saveId: hexOf(saveId) };
}

/**
 * Names a file of a record in a store.
 *
 * @param file The ids of tree and record, and the save id.
 */
export function formatRecordName(file: RecordFile): string {
  return `${RECORDS_PREFIX}${file.tree}-${file.record}-${file.writer}`;
}

/**
 * Takes the name of a file of a record apart.
 *
 * @param text The name in the store.
 * @returns Ids and save id, or `undefined` if `text` names no record.
 */
export function parseRecordName(text: string): RecordFile | undefined {
  if (!documentForms.record.pattern.test(text)) return undefined;
  const [tree, record, writer] = text.slice(RECORDS_PREFIX.length).split("-");
  return { tree: parseId(tree), record: parseId(record), writer };
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
