import { ArchiveSyntaxError } from "../errors.ts";

const EQUALS = 0x3d;
const LINE_FEED = 0x0a;
const SPACE = 0x20;
const ZERO = 0x30;
/** Digits of the length of a record; more cannot be right. */
const DIGITS_MAX = 10;
/** Most bytes of the records that hold for all entries. */
const GLOBAL_SIZE_MAX = 1024 * 1024;
/** Most records that hold for all entries: each of them is looked at with each entry. */
const GLOBAL_COUNT_MAX = 1024;

/** Records of a pax header by their keywords; a value is bytes. */
export type PaxRecords = Map<string, Uint8Array>;

/** A record that is written: its keyword, and its value; of text a byte for each character. */
export type PaxRecord = readonly [
  keyword: string | Uint8Array,
  value: Uint8Array | string,
];

/**
 * Reads the records of a pax header.
 *
 * @param bytes All of them.
 * @param offset Where they are in the archive.
 * @param onRecord Told of each; a keyword has a character for each byte.
 * @throws {ArchiveSyntaxError} If a record is none.
 */
export function readPax(
  bytes: Uint8Array,
  offset: number,
  onRecord: (keyword: string, value: Uint8Array) => void,
): void {
  for (let at = 0; at < bytes.length;) {
    let length = 0, start = at;
    for (; start - at < DIGITS_MAX; start++) {
      const digit = bytes[start] - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      length = length * 10 + digit;
    }
    const end = at + length;
    const isSound = start > at && bytes[start] === SPACE &&
      end <= bytes.length && end > start + 1 && bytes[end - 1] === LINE_FEED;
    const equals = isSound ? bytes.indexOf(EQUALS, start + 1) : -1;
    if (equals <= start + 1 || equals >= end) {
      throw new ArchiveSyntaxError(
        "Cannot read archive as a pax record is not what its length says",
        offset + at,
      );
    }
    const keyword = latin(bytes.subarray(start + 1, equals));
    onRecord(keyword, bytes.subarray(equals + 1, end - 1));
    at = end;
  }
}

/**
 * Writes pax records.
 *
 * @returns Their bytes.
 */
export function writePax(records: readonly PaxRecord[]): Uint8Array {
  let size = 0;
  for (const record of records) size += lengthOf(record);
  const all = new Uint8Array(size);
  let at = 0;
  for (const record of records) {
    for (const part of [`${lengthOf(record)} `, record[0], "=", record[1]]) {
      put(all, at, part);
      at += part.length;
    }
    all[at++] = LINE_FEED;
  }
  return all;
}

/** The length of a record, which counts its own digits. */
function lengthOf([keyword, value]: PaxRecord): number {
  const rest = keyword.length + value.length + 3;
  const length = rest + String(rest).length;
  return rest + String(length).length;
}

function put(out: Uint8Array, at: number, part: Uint8Array | string): void {
  if (typeof part !== "string") out.set(part, at);
  else for (let i = 0; i < part.length; i++) out[at + i] = part.charCodeAt(i);
}

/** Bytes as text, a character for each. */
export function latin(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** A time as pax writes it: seconds, and a fraction that goes up from there. */
export function paxTime(seconds: number, nanoseconds: number): string {
  if (nanoseconds === 0) return String(seconds);
  if (seconds >= 0) {
    return trimmed(`${seconds}.${String(nanoseconds).padStart(9, "0")}`);
  }
  // The sign counts for all of it: 0.25 before 1970 is -0.25.
  const whole = -seconds - 1;
  const fraction = String(1e9 - nanoseconds).padStart(9, "0");
  return trimmed(`-${whole}.${fraction}`);
}

/**
 * Reads a time of pax.
 *
 * @returns Whole seconds, and nanoseconds after them; `undefined` if it is no time.
 */
export function readPaxTime(
  value: Uint8Array,
): readonly [seconds: number, nanoseconds: number] | undefined {
  const found = /^(-?)(\d{1,16})(?:\.(\d*))?$/.exec(latin(value));
  if (found === null) return undefined;
  const [, sign, whole, fraction = ""] = found;
  const seconds = Number(whole);
  const nanoseconds = Number(fraction.padEnd(9, "0").slice(0, 9));
  if (!Number.isSafeInteger(seconds)) return undefined;
  if (sign === "") return [seconds, nanoseconds];
  return nanoseconds === 0
    ? [0 - seconds, 0]
    : [-seconds - 1, 1e9 - nanoseconds];
}

/**
 * Reads a number of pax.
 *
 * @returns The number; `undefined` if it is none, or above 2^53 − 1.
 */
export function readPaxNumber(value: Uint8Array): number | undefined {
  const text = latin(value);
  const number = /^0{0,64}\d{1,16}$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}

function trimmed(text: string): string {
  return text.replace(/0+$/, "");
}

/**
 * Checks what holds for all entries.
 *
 * @throws {ArchiveSyntaxError} If there is too much of it.
 */
export function checkGlobals(globals: PaxRecords, offset: number): void {
  let size = 0;
  for (const [keyword, value] of globals) size += keyword.length + value.length;
  const count = globals.size;
  if (count <= GLOBAL_COUNT_MAX && size <= GLOBAL_SIZE_MAX) return;
  throw new ArchiveSyntaxError(
    `Cannot read archive as at most ${GLOBAL_COUNT_MAX} records of ${GLOBAL_SIZE_MAX} bytes together hold for all entries: found ${count} of ${size}`,
    offset,
  );
}
