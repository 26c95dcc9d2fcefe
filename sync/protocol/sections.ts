import { SyncError } from "../errors.ts";
import { type Section, SectionKind } from "./message.ts";

/** Size of the largest JSON of a message. */
export const FIELDS_SIZE_MAX: number = 64 << 10;
/** Ids in one message at most. */
export const IDS_MAX = 262_144;
/** Ranges in one message at most. */
export const RANGES_MAX = 4096;
/** Count of a range that is only there so that the next one begins behind it. */
export const RANGE_SKIPPED: number = 2 ** 32 - 1;
/** Size of the largest cursor. */
export const CURSOR_SIZE_MAX: number = 8 << 10;
/** Number that stands for a record where kinds of objects stand. */
export const RECORD_KIND = 5;

/** Number that stands for a forgotten record. */
export const FORGOTTEN_KIND = 6;

const ID_ROW = 36;
const RANGE_ROW = 56;
const PROOF_ROW = 96;

/** Ids by columns. */
export interface IdRows {
  /** How many. */
  readonly count: number;
  /** 32 bytes each. */
  readonly ids: Uint8Array;
  /** Kinds of objects, or {@linkcode RECORD_KIND}. */
  readonly kinds: Uint8Array;
}

/** A fingerprint of the records of one side whose ids lie in a range. */
export interface IdRange {
  /** The largest id of the range, 32 bytes; it begins behind the range before. */
  readonly upper: Uint8Array;
  /** Ids in it, or {@linkcode RANGE_SKIPPED}. */
  readonly count: number;
  /** 0 records, 1 forgotten records. */
  readonly set: number;
  /** The first 16 bytes of the BLAKE3 of the ids in order. */
  readonly fingerprint: Uint8Array;
}

/** The chaining value of a span, and who vouches for it. */
export interface ProofRow {
  /** 32 bytes: what was hashed, and where. */
  readonly key: Uint8Array;
  /** The chaining value, 32 bytes. */
  readonly value: Uint8Array;
  /** The mark of the server that computed it, 32 bytes. */
  readonly mac: Uint8Array;
}

/** A log of a tag as one side knows it. */
export interface TagRow {
  /** The name of the tag. */
  readonly name: string;
  /** Entries. */
  readonly count: number;
  /** Sum of the BLAKE3 of their nonces, 32 bytes. */
  readonly sum: Uint8Array;
  /** Nonce of the head, 16 bytes. */
  readonly head: Uint8Array;
}

/** Makes a section of JSON. */
export function fieldsSection(fields: Record<string, unknown>): Section {
  const bytes = new TextEncoder().encode(JSON.stringify(fields));
  return { kind: SectionKind.fields, rows: 1, bytes };
}

/** Reads a section of JSON: no fields where there is none. */
export function readFields(section: Section | undefined): Fields {
  if (section === undefined) return new Fields({});
  if (section.bytes.length > FIELDS_SIZE_MAX) {
    refuse(
      `fields have at most ${FIELDS_SIZE_MAX} bytes`,
      section.bytes.length,
    );
  }
  let value: unknown;
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    value = JSON.parse(decoder.decode(section.bytes));
  } catch {
    refuse("its fields are JSON", "none");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    refuse("its fields are an object", JSON.stringify(value).slice(0, 40));
  }
  return new Fields(value as Record<string, unknown>);
}

/** Fields that came from outside: each is asked for by its type. */
export class Fields {
  readonly #values: Record<string, unknown>;

  /** Takes what was read. */
  constructor(values: Record<string, unknown>) {
    this.#values = values;
  }

  /** A count from 0. */
  count(name: string, max: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.#get(name);
    const isCount = Number.isSafeInteger(value) && value as number >= 0 &&
      value as number <= max;
    if (!isCount) refuse(`${name} is 0 to ${max}`, JSON.stringify(value));
    return value as number;
  }

  /** Yes or no; no if left out. */
  flag(name: string): boolean {
    const value = this.#get(name) ?? false;
    if (typeof value !== "boolean") {
      refuse(`${name} is true or false`, JSON.stringify(value));
    }
    return value;
  }

  /** A text; empty if left out. */
  text(name: string, sizeMax = 4096): string {
    const value = this.#get(name) ?? "";
    if (typeof value !== "string" || value.length > sizeMax) {
      refuse(`${name} is a text of at most ${sizeMax}`, typeof value);
    }
    return value;
  }

  /** An object; empty if left out. */
  object(name: string): Record<string, unknown> {
    const value = this.#get(name) ?? {};
    if (typeof value !== "object" || value === null) {
      refuse(`${name} is an object`, JSON.stringify(value));
    }
    return value as Record<string, unknown>;
  }

  #get(name: string): unknown {
    return Object.hasOwn(this.#values, name) ? this.#values[name] : undefined;
  }
}

/** Makes a section of ids. */
export function idsSection(
  rows: IdRows,
  kind: number = SectionKind.ids,
): Section {
  const bytes = new Uint8Array(rows.count * ID_ROW);
  for (let i = 0; i < rows.count; i++) {
    bytes.set(rows.ids.subarray(32 * i, 32 * i + 32), ID_ROW * i);
    bytes[ID_ROW * i + 32] = rows.kinds[i];
  }
  return { kind, rows: rows.count, bytes };
}

/** Reads a section of ids: none where there is none. */
export function readIds(
  section: Section | undefined,
  max: number = IDS_MAX,
): IdRows {
  const { rows: count, bytes } = checked(section, ID_ROW, max, "ids");
  const ids = new Uint8Array(32 * count);
  const kinds = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const at = ID_ROW * i;
    ids.set(bytes.subarray(at, at + 32), 32 * i);
    kinds[i] = bytes[at + 32];
    if (kinds[i] < 1 || kinds[i] > FORGOTTEN_KIND) {
      refuse("kinds are 1 to 6", kinds[i]);
    }
  }
  return { count, ids, kinds };
}

/** Makes a section of ranges. */
export function rangesSection(ranges: readonly IdRange[]): Section {
  const bytes = new Uint8Array(ranges.length * RANGE_ROW);
  const view = new DataView(bytes.buffer);
  ranges.forEach(({ upper, count, set, fingerprint }, i) => {
    bytes.set(upper, RANGE_ROW * i);
    view.setUint32(RANGE_ROW * i + 32, count, true);
    view.setUint32(RANGE_ROW * i + 36, set, true);
    bytes.set(fingerprint, RANGE_ROW * i + 40);
  });
  return { kind: SectionKind.ranges, rows: ranges.length, bytes };
}

/** Reads a section of ranges: none where there is none. */
export function readRanges(section: Section | undefined): IdRange[] {
  const { rows, bytes } = checked(section, RANGE_ROW, RANGES_MAX, "ranges");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const ranges: IdRange[] = [];
  for (let at = 0; at < rows * RANGE_ROW; at += RANGE_ROW) {
    const set = view.getUint32(at + 36, true);
    if (set > 1) refuse("sets are 0 and 1", set);
    ranges.push({
      upper: bytes.subarray(at, at + 32),
      count: view.getUint32(at + 32, true),
      set,
      fingerprint: bytes.subarray(at + 40, at + 56),
    });
  }
  return ranges;
}

/** Makes a section of documents. */
export function documentsSection(documents: readonly Uint8Array[]): Section {
  const size = documents.reduce((sum, { length }) => sum + 4 + length, 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const document of documents) {
    view.setUint32(at, document.length, true);
    bytes.set(document, at + 4);
    at += 4 + document.length;
  }
  return { kind: SectionKind.documents, rows: documents.length, bytes };
}

/** Reads a section of documents: none where there is none. */
export function readDocuments(section: Section | undefined): Uint8Array[] {
  const documents: Uint8Array[] = [];
  if (section === undefined) return documents;
  const { bytes, rows } = section;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  while (at < bytes.length) {
    const size = at + 4 <= bytes.length ? view.getUint32(at, true) : Infinity;
    if (at + 4 + size > bytes.length || documents.length === rows) {
      refuse(`its ${rows} documents fit into it`, size);
    }
    documents.push(bytes.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  if (documents.length !== rows) {
    refuse(`it has the ${rows} documents that it claims`, documents.length);
  }
  return documents;
}

/** Makes a section of proofs. */
export function proofsSection(proofs: readonly ProofRow[]): Section {
  const bytes = new Uint8Array(proofs.length * PROOF_ROW);
  proofs.forEach(({ key, value, mac }, i) => {
    bytes.set(key, PROOF_ROW * i);
    bytes.set(value, PROOF_ROW * i + 32);
    bytes.set(mac, PROOF_ROW * i + 64);
  });
  return { kind: SectionKind.proofs, rows: proofs.length, bytes };
}

/** Reads a section of proofs: none where there is none. */
export function readProofs(section: Section | undefined): ProofRow[] {
  const { rows, bytes } = checked(section, PROOF_ROW, IDS_MAX, "proofs");
  return Array.from({ length: rows }, (_, i) => ({
    key: bytes.slice(PROOF_ROW * i, PROOF_ROW * i + 32),
    value: bytes.slice(PROOF_ROW * i + 32, PROOF_ROW * i + 64),
    mac: bytes.slice(PROOF_ROW * i + 64, PROOF_ROW * i + 96),
  }));
}

/** Makes a section of tags. */
export function tagsSection(tags: readonly TagRow[]): Section {
  const parts = tags.map(({ name, count, sum, head }) => {
    const text = new TextEncoder().encode(name);
    const bytes = new Uint8Array(1 + text.length + 52);
    bytes[0] = text.length;
    bytes.set(text, 1);
    new DataView(bytes.buffer).setUint32(1 + text.length, count, true);
    bytes.set(sum, 5 + text.length);
    bytes.set(head, 37 + text.length);
    return bytes;
  });
  return { kind: SectionKind.tags, rows: tags.length, bytes: joined(parts) };
}

/** Reads a section of tags: none where there is none. */
export function readTags(section: Section | undefined): TagRow[] {
  const tags: TagRow[] = [];
  if (section === undefined) return tags;
  const { bytes, rows } = section;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length;) {
    const nameEnd = at + 1 + bytes[at];
    if (nameEnd + 52 > bytes.length || tags.length === rows) {
      refuse(`its ${rows} tags fit into it`, at);
    }
    tags.push({
      name: new TextDecoder().decode(bytes.subarray(at + 1, nameEnd)),
      count: view.getUint32(nameEnd, true),
      sum: bytes.subarray(nameEnd + 4, nameEnd + 36),
      head: bytes.subarray(nameEnd + 36, nameEnd + 52),
    });
    at = nameEnd + 52;
  }
  if (tags.length !== rows) refuse(`it has ${rows} tags`, tags.length);
  return tags;
}

/** Joins bytes. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

const NONE: Section = { kind: 0, rows: 0, bytes: new Uint8Array(0) };

function checked(
  section: Section | undefined,
  rowSize: number,
  max: number,
  what: string,
): Section {
  const { rows, bytes } = section ?? NONE;
  if (rows > max) refuse(`${what} are at most ${max}`, rows);
  if (bytes.length !== rows * rowSize) {
    refuse(`its ${rows} ${what} need ${rows * rowSize} bytes`, bytes.length);
  }
  return section ?? NONE;
}

function refuse(need: string, found: unknown): never {
  throw new SyncError(`Cannot read a message as ${need}: found ${found}`, {
    code: "FORMAT",
  });
}
