import { type Id, ID_SIZE, isId } from "@snap/hash";
import { MODE_MAX } from "@snap/manifest/extras";
import { SnapdirSyntaxError } from "./errors.ts";

const LINE_FEED = 0x0a;
const SPACE = 0x20;
const HASH_SIGN = 0x23;
const OCTAL = /^[0-7]{1,4}$/;
const DECIMAL = /^(0|[1-9]\d{0,15})$/;

/** One line of a manifest of snapdir. */
export interface ManifestLine {
  /** Whether it is a directory. */
  readonly isDirectory: boolean;
  /** The 12 permission bits. */
  readonly mode: number;
  /** Id of a file's content, or of what is in a directory: 64 hex digits. */
  readonly checksum: Id;
  /** Size in bytes: of a directory the sum of all below it. */
  readonly size: number;
  /** Bytes of the path as it stands in the line: `./` is the root, and a directory ends with a slash. */
  readonly path: Uint8Array;
}

/**
 * Writes a line.
 *
 * @returns Its bytes, with the line break.
 */
export function formatLine(line: ManifestLine): Uint8Array {
  const { isDirectory, mode, checksum, size, path } = line;
  const type = isDirectory ? "D" : "F";
  const start = `${type} ${mode.toString(8)} ${checksum} ${size} `;
  const bytes = new Uint8Array(start.length + path.length + 1);
  for (let i = 0; i < start.length; i++) bytes[i] = start.charCodeAt(i);
  bytes.set(path, start.length);
  bytes[bytes.length - 1] = LINE_FEED;
  return bytes;
}

/** A line of a manifest, and its bytes with the line break. */
export interface ReadLine extends ManifestLine {
  /** Its number, from 1. */
  readonly number: number;
  /** Its bytes, which are those of the manifest. */
  readonly bytes: Uint8Array;
}

/**
 * Reads the lines of a manifest one after the other. Comments and empty lines are passed over.
 *
 * @param bytes The manifest.
 * @throws {SnapdirSyntaxError} If a line is none.
 */
export function* readLines(bytes: Uint8Array): Generator<ReadLine, void> {
  let number = 0;
  for (let start = 0, end: number; start < bytes.length; start = end + 1) {
    number++;
    end = bytes.indexOf(LINE_FEED, start);
    if (end < 0) throw new SnapdirSyntaxError(number, "it has no line break");
    if (end === start || bytes[start] === HASH_SIGN) continue;
    const line = bytes.subarray(start, end);
    yield {
      ...readLine(line, number),
      number,
      bytes: bytes.subarray(start, end + 1),
    };
  }
}

function readLine(line: Uint8Array, number: number): ManifestLine {
  const fields: string[] = [];
  let start = 0;
  while (fields.length < 4) {
    const end = line.indexOf(SPACE, start);
    if (end < 0) throw new SnapdirSyntaxError(number, "it has no five fields");
    fields.push(
      String.fromCharCode(
        ...line.subarray(start, Math.min(end, start + 2 * ID_SIZE + 1)),
      ),
    );
    start = end + 1;
  }
  const [type, mode, checksum, size] = fields;
  const isDirectory = type === "D";
  const fail = (what: string) => new SnapdirSyntaxError(number, what);
  if (!isDirectory && type !== "F") throw fail("its type is neither F nor D");
  if (!OCTAL.test(mode) || parseInt(mode, 8) > MODE_MAX) {
    throw fail("its permissions are no octal number up to 7777");
  }
  if (!isId(checksum)) {
    throw fail("its checksum has not the 64 hex digits of BLAKE3");
  }
  if (!DECIMAL.test(size) || !Number.isSafeInteger(Number(size))) {
    throw fail("its size is no number of bytes up to 2^53 - 1");
  }
  return {
    isDirectory,
    mode: parseInt(mode, 8),
    checksum,
    size: Number(size),
    path: line.subarray(start),
  };
}
