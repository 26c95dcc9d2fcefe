import {
  closeSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import type { Hasher, HashStream } from "@snap/hash";
import type { StatTable } from "@snap/posix/stat-table";
import type { RecordedDirectory, RowRecorder } from "../walk/row_recorder.ts";
import {
  copyRow,
  DOUBTFUL,
  ENTRY_SIZE_MAX,
  MAGIC,
  NAME_MAX,
  OPENED,
  ROW_WORDS,
  TAIL_SIZE,
} from "./row_form.ts";

/** Bytes that are written at once. */
const BUFFER_SIZE = 1 << 18;

/** Options of {@linkcode RowWriter}. */
export interface RowWriterOptions {
  readonly hasher: Hasher;
  /** Tells whether the times of an entry prove that it is the same. */
  isTrusted(stats: StatTable, row: number): boolean;
}

/** Writes a file of rows beside the one before, whose place it takes at the end. */
export class RowWriter implements RowRecorder, Disposable {
  /** Entries so far. */
  rowCount = 0;
  /** Those whose times prove nothing. */
  doubtfulCount = 0;
  readonly #path: string;
  readonly #options: RowWriterOptions;
  readonly #hash: HashStream;
  readonly #bytes = new Uint8Array(BUFFER_SIZE);
  readonly #words = new Uint32Array(this.#bytes.buffer);
  #at = 0;
  #size = 0;
  #fd: number | undefined;

  /**
   * Writes nothing yet.
   *
   * @param path Where the file is to stand.
   */
  constructor(path: string, options: RowWriterOptions) {
    this.#path = path;
    this.#options = options;
    this.#hash = options.hasher.stream();
    this.#bytes.set(MAGIC);
    this.#at = MAGIC.length;
  }

  /**
   * Copies the beginning of the directories of another file.
   *
   * @param fd That file.
   * @param end Where what is the same ends in it.
   */
  copy(fd: number, end: number): void {
    for (let at = MAGIC.length; at < end;) {
      if (this.#at === BUFFER_SIZE) this.#flush();
      const size = Math.min(BUFFER_SIZE - this.#at, end - at);
      const read = readSync(fd, this.#bytes, this.#at, size, at);
      if (read === 0) throw new Error("Cannot copy rows: the file is cut");
      this.#at += read;
      at += read;
    }
  }

  /** @inheritDoc */
  begin(directory: RecordedDirectory | undefined): void {
    if (directory === undefined) return this.end();
    const { self } = directory;
    this.#putHead(OPENED, self, 0);
  }

  /** @inheritDoc */
  add(directory: RecordedDirectory, row: number): void {
    const { names, ends, first, stats } = directory;
    let at = directory.nameStart(row);
    const end = ends[row];
    if (end - at > NAME_MAX) throw new RangeError("Cannot add row: its name");
    this.rowCount++;
    this.#putHead(end - at, stats, row - first);
    while (at < end) this.#bytes[this.#at++] = names[at++];
    while (this.#at % 4 !== 0) this.#bytes[this.#at++] = 0;
  }

  /** @inheritDoc */
  end(): void {
    this.#reserve();
    this.#words[this.#at >>> 2] = 0;
    this.#at += 4;
  }

  /**
   * Ends the file, and puts it into its place.
   *
   * @param describe Says what the rows are of, given their hash and where they end.
   */
  finish(describe: (hash: string, end: number) => string): void {
    this.#flush();
    const { hasher } = this.#options;
    const text = describe(this.#hash.digest(), this.#size);
    const json = new TextEncoder().encode(text);
    const tail = new Uint8Array(json.length + TAIL_SIZE);
    tail.set(json);
    hasher.hashInto(json, tail, json.length);
    new DataView(tail.buffer).setUint32(tail.length - 4, json.length, true);
    this.#write(tail);
    closeSync(this.#fd!);
    this.#fd = undefined;
    renameSync(this.#unfinished, this.#path);
  }

  /** Removes the file where it was not finished. */
  [Symbol.dispose](): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
    rmSync(this.#unfinished, { force: true });
  }

  get #unfinished(): string {
    return `${this.#path}.new`;
  }

  #putHead(head: number, stats: StatTable, row: number): void {
    this.#reserve();
    const isTrusted = this.#options.isTrusted(stats, row);
    if (!isTrusted) this.doubtfulCount++;
    const at = this.#at >>> 2;
    this.#words[at] = isTrusted ? head : head | DOUBTFUL;
    copyRow(stats, row, this.#words, at + 1);
    this.#at += 4 + 4 * ROW_WORDS;
  }

  #reserve(): void {
    if (this.#at + ENTRY_SIZE_MAX > BUFFER_SIZE) this.#flush();
  }

  #flush(): void {
    const isFirst = this.#size === 0;
    const bytes = this.#bytes.subarray(0, this.#at);
    this.#hash.update(isFirst ? bytes.subarray(MAGIC.length) : bytes);
    this.#write(bytes);
    this.#at = 0;
  }

  #write(bytes: Uint8Array): void {
    this.#fd ??= create(this.#unfinished);
    for (let at = 0; at < bytes.length;) {
      at += writeSync(this.#fd, bytes, at, bytes.length - at);
    }
    this.#size += bytes.length;
  }
}

/**
 * Makes a file anew. Two who write at once may give the place to one that is not
 * finished: its hash tells.
 */
function create(path: string): number {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  rmSync(path, { force: true });
  return openSync(path, "wx", 0o600);
}
