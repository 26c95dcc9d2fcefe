import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { geteuid } from "node:process";
import type { Hasher } from "@snap/hash";
import { RowSyntaxError } from "./row_error.ts";
import { MAGIC, TAIL_SIZE } from "./row_form.ts";
import { RowReader } from "./row_reader.ts";

/** Bytes of the description at most. */
const DESCRIPTION_MAX = 1 << 20;

/** What the rows of a file are of. */
export interface RowDescription {
  /** The record that was saved. */
  readonly record: string;
  /** Whether change times were believed on every file system. */
  readonly trustStat: boolean;
  /** How exact times are. */
  readonly fidelity: "full" | "reduced";
  /** Major and minor number of each device, in the order of the walk. */
  readonly devices: readonly (readonly [number, number])[];
  /** Directories of which something could not be read, or changed meanwhile. */
  readonly doubts: readonly string[];
  /** The state of the store in which all was there that the record relies on. */
  readonly storeState: string | undefined;
}

/** A file of rows that is open. */
export class RowFile implements Disposable {
  /** The descriptor. */
  readonly fd: number;
  /** What its rows are of. */
  readonly description: RowDescription;
  /** Where its rows end. */
  readonly end: number;
  readonly #hash: string;
  readonly #hasher: Hasher;

  private constructor(fd: number, hasher: Hasher) {
    const { description, hash, end } = readDescription(fd, hasher);
    this.fd = fd;
    this.description = description;
    this.end = end;
    this.#hash = hash;
    this.#hasher = hasher;
  }

  /**
   * Opens a file.
   *
   * @returns The file; `undefined` if there is none that this user has written whole.
   */
  static open(path: string, hasher: Hasher): RowFile | undefined {
    const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
    let fd: number | undefined;
    try {
      fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      return new RowFile(fd, hasher);
    } catch {
      if (fd !== undefined) closeSync(fd);
      return undefined;
    }
  }

  /** Reads its rows from the first one on. */
  reader(): RowReader {
    return new RowReader(this.fd, { end: this.end, hasher: this.#hasher });
  }

  /**
   * Sees that a reader has come to the end, and that all that it read was written so.
   *
   * @throws {RowSyntaxError} If not.
   */
  check(reader: RowReader): void {
    if (reader.finish() !== this.#hash) throw new RowSyntaxError("its hash");
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}

/**
 * Writes a description, as it stands behind the rows.
 *
 * @param hash The hash of the rows.
 * @param end Where they end.
 */
export function describeRows(
  description: RowDescription,
  hash: string,
  end: number,
): string {
  return JSON.stringify({ description, hash, end });
}

function readDescription(
  fd: number,
  hasher: Hasher,
): { description: RowDescription; hash: string; end: number } {
  const stats = fstatSync(fd);
  // Nobody else says what has not changed.
  if (
    !stats.isFile() || stats.uid !== geteuid?.() || (stats.mode & 0o022) !== 0
  ) throw new RowSyntaxError("its owner");
  const tail = readAt(fd, stats.size - TAIL_SIZE, TAIL_SIZE);
  const size = new DataView(tail.buffer).getUint32(TAIL_SIZE - 4, true);
  if (size > DESCRIPTION_MAX) throw new RowSyntaxError("its size");
  const json = readAt(fd, stats.size - TAIL_SIZE - size, size);
  const hash = new Uint8Array(TAIL_SIZE);
  hasher.hashInto(json, hash);
  const magic = readAt(fd, 0, MAGIC.length);
  const isWhole = magic.every((byte, i) => byte === MAGIC[i]) &&
    tail.subarray(0, 32).every((byte, i) => byte === hash[i]);
  const found = JSON.parse(isWhole ? new TextDecoder().decode(json) : "");
  if (found.end !== stats.size - TAIL_SIZE - size) {
    throw new RowSyntaxError("its end");
  }
  return found;
}

function readAt(fd: number, offset: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  if (offset < 0 || readSync(fd, bytes, 0, size, offset) !== size) {
    throw new RowSyntaxError("its end");
  }
  return bytes;
}
