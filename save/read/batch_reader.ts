import type { HashStream } from "@snap/hash";
import { DiskError } from "@snap/disk";
import { FileReader } from "@snap/disk/file";
import { runAtOnce } from "@snap/posix/pacer";
import { StatTable } from "@snap/posix/stat-table";
import { BatchDraft } from "./batch_draft.ts";
import { filesByName } from "./files_by_name.ts";
import type { InHand } from "./in_hand.ts";
import type { LargeFileRing } from "./large_file_ring.ts";
import { LargeFileReader } from "./large_file_reader.ts";
import type { ContentPacker } from "../pack/content_packer.ts";
import {
  isZeros,
  PASSED_HOLE_MIN,
  passHole,
  SPARSE_PART,
} from "@snap/pack/recipe-writer";
import type { BatchResult, FileBatch } from "../messages.ts";

/** Content up to this size is read whole before it is chunked. */
const WHOLE_SIZE_MAX = 4 * 1024 * 1024;
/** Of what does not say its size no more is asked for at once: the kernel wants as much memory. */
const UNTOLD_READ_SIZE = 64 * 1024;
/** Bytes that are read and hashed between two steps. */
const STEP_SIZE = 512 * 1024;
/** Cost of opening a file, in bytes read. */
const FILE_COST = 16 * 1024;
/** Directories of a batch that stay open: files come in the order of their names. */
const OPEN_MAX = 64;
/** A file that changes while it is read is read once more. */
const ATTEMPTS_MAX = 2;

/** Content of a file as it was read. */
interface ReadContent {
  /** Bytes of the content. */
  readonly size: number;
  /** Whether the file is still what the expected row says. */
  readonly isStable: boolean;
  /** Whether the size that it is said to have is not that of its content. */
  readonly isUntold?: boolean;
}

/** Reads the content of the open file; steps, each with the work that was done. */
type ReadContentOf = (
  expected: StatTable,
  at: number,
  isLast: boolean,
) => Generator<number, ReadContent>;

/** Options of {@linkcode BatchReader}. */
export interface BatchReaderOptions {
  /** The path of the directory that is saved. */
  readonly source: Uint8Array;
  /** Counts how far large files are read. */
  readonly inHand: InHand;
  /** A word in shared memory: anything but 0 ends the work. */
  readonly stop: SharedArrayBuffer;
}

/** Reads the files of batches and hands their content on. Runs in a worker, or without one. */
export class BatchReader implements Disposable {
  readonly #packer: ContentPacker;
  readonly #inHand: InHand;
  readonly #stop: Int32Array;
  readonly #file: FileReader;
  readonly #whole: HashStream;
  #sparse: HashStream | undefined;
  /** Bytes of the file in hand that can be in holes. */
  #unstored = 0;
  readonly #byte = new Uint8Array(1);
  #buffer: Uint8Array | undefined;
  #draft = new BatchDraft(0, 0);

  /**
   * Makes the reader of one thread. No file is opened yet.
   *
   * @param options What is read, and what ends it.
   */
  constructor(packer: ContentPacker, options: BatchReaderOptions) {
    this.#inHand = options.inHand;
    this.#stop = new Int32Array(options.stop);
    this.#file = new FileReader(options.source, undefined, {
      openMax: OPEN_MAX,
    });
    this.#packer = packer;
    this.#whole = packer.hasher.stream();
  }

  /**
   * Reads and stores the files of a batch. No frame spans two batches.
   *
   * @param batch The files; it is left when the stop word is set.
   * @returns Steps, each with the work that was done, then what came of the files.
   */
  read(batch: FileBatch): Generator<number, BatchResult> {
    return this.#run(
      batch,
      (stats, row) => this.#isStopped ? [] : this.#saveFile(stats, row),
    );
  }

  /** Reads one large file, and shares its chunks with other workers. */
  readLarge(batch: FileBatch, ring: LargeFileRing): BatchResult {
    const reader = new LargeFileReader(this.#packer);
    const read: ReadContentOf = (expected, at) =>
      this.#readByRing(reader, ring, expected, at);
    return runAtOnce(
      this.#run(batch, (stats, row) => this.#retry(stats, row, read)),
    );
  }

  /** Closes the source. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  get #isStopped(): boolean {
    return Atomics.load(this.#stop, 0) !== 0;
  }

  *#run(
    batch: FileBatch,
    save: (stats: StatTable, row: number) => Iterable<number>,
  ): Generator<number, BatchResult> {
    let count = 0;
    for (const part of batch.parts) count += part.ends.length;
    const { newByteCount, newObjectCount } = this.#packer.sink;
    const draft = this.#draft = new BatchDraft(batch.number, count);
    for (const { directory, name, stats, row, index } of filesByName(batch)) {
      draft.index = index;
      this.#inHand.nextFile();
      try {
        this.#file.open(directory, name, stats.uid(row));
        yield* save(stats, row);
      } catch (error) {
        if (!(error instanceof DiskError)) throw error;
        draft.fail(error);
      }
    }
    this.#file.leave();
    this.#packer.sink.closeBundle();
    this.#packer.flushRecipes();
    return draft.result({
      inHandByteCount: this.#inHand.take(),
      newByteCount: this.#packer.sink.newByteCount - newByteCount,
      newObjectCount: this.#packer.sink.newObjectCount - newObjectCount,
    });
  }

  #saveFile(stats: StatTable, row: number): Generator<number, void> {
    return this.#retry(stats, row, (expected, at, isLast) => {
      const size = expected.size(at);
      const { sink, chunkSizeMax } = this.#packer;
      if (size <= chunkSizeMax && size < sink.bundleSizeMax) {
        return this.#readSmall(expected, at, isLast);
      }
      return size <= WHOLE_SIZE_MAX
        ? this.#readWhole(expected, at, isLast)
        : this.#readInPieces(expected, at);
    });
  }

  /** Reads a file until it held still meanwhile, but not for ever. */
  *#retry(
    stats: StatTable,
    row: number,
    read: ReadContentOf,
  ): Generator<number, void> {
    const draft = this.#draft;
    let expected = stats, at = row;
    let content: ReadContent = { size: 0, isStable: false };
    let attempt = 0;
    for (; attempt < ATTEMPTS_MAX && !content.isStable; attempt++) {
      if (attempt > 0) {
        expected = new StatTable(1);
        this.#file.stats.copyRow(0, expected, at = 0);
      }
      content = yield* read(expected, at, attempt + 1 === ATTEMPTS_MAX);
      if (content.isUntold) {
        content = yield* this.#readInPieces(expected, at, Infinity);
      }
    }
    // What the file was before it was read: a later change then shows.
    if (attempt > 1) draft.noteRow(expected, at, content.isStable);
    draft.commit(content.size);
    this.#saveExtras(expected, at, content.size);
  }

  *#readSmall(
    expected: StatTable,
    at: number,
    isLast: boolean,
  ): Generator<number, ReadContent> {
    const wanted = expected.size(at);
    // One byte more than is expected tells whether the file has grown.
    const { sink } = this.#packer;
    const space = sink.reserve(wanted + 1);
    const read = this.#file.read(space, 0, wanted);
    const content = this.#compare(expected, at, read);
    const { size, isStable } = content;
    if (!isStable && (!isLast || content.isUntold)) {
      sink.drop();
      return content;
    }
    this.#packer.hasher.hashInto(space.subarray(0, size), this.#draft.id);
    if (size > 0) this.#packer.commitReserved(this.#draft.id, size);
    else sink.drop();
    yield FILE_COST + size;
    return content;
  }

  *#readWhole(
    expected: StatTable,
    at: number,
    isLast: boolean,
  ): Generator<number, ReadContent> {
    const buffer = this.#buffer ??= new Uint8Array(WHOLE_SIZE_MAX + 1);
    const wanted = expected.size(at);
    const read = this.#file.read(buffer.subarray(0, wanted + 1), 0, wanted);
    const content = this.#compare(expected, at, read);
    const { size, isStable } = content;
    if (!isStable && (!isLast || content.isUntold)) return content;
    const bytes = buffer.subarray(0, size);
    if (size <= this.#packer.chunkSizeMax) {
      this.#draft.id = size === 0
        ? this.#emptyId()
        : this.#packer.putContent(bytes);
      return content;
    }
    yield* this.#hashWhole(bytes);
    yield* this.#packer.putLarge(bytes, this.#draft.id);
    return content;
  }

  *#hashWhole(bytes: Uint8Array): Generator<number, void> {
    this.#whole.reset();
    yield* hashBytes(this.#whole, bytes);
    this.#whole.digestInto(this.#draft.id);
  }

  /** Reads as far as is said, or to the end of what does not say it. */
  *#readInPieces(
    expected: StatTable,
    at: number,
    wanted: number = expected.size(at),
  ): Generator<number, ReadContent> {
    const packer = this.#packer;
    const buffer = this.#buffer ??= new Uint8Array(WHOLE_SIZE_MAX + 1);
    const step = wanted === Infinity ? UNTOLD_READ_SIZE : buffer.length;
    const recipe = packer.beginRecipe();
    const whole = this.#beginWhole(expected, at);
    const { chunkSizeMax } = packer;
    const isStopped = (): boolean => this.#isStopped;
    const work = { recipe, whole, chunkSizeMax, isStopped };
    let size = 0, held = 0;
    for (let isEnd = false; !isEnd;) {
      const hole = this.#holeSize(size, wanted);
      if (hole > 0 && isZeros(buffer.subarray(0, held))) {
        held = yield* passHole(work, held, hole);
        buffer.fill(0, 0, held);
        size += hole;
        this.#inHand.add(hole);
      }
      const room = Math.min(buffer.length - held, wanted - size, step);
      const read = this.#file.read(buffer.subarray(held, held + room), size);
      this.#inHand.add(read);
      yield* hashBytes(whole, buffer.subarray(held, held + read));
      size += read;
      held += read;
      isEnd = read < room || size === wanted || this.#isStopped ||
        // What grows is not chased.
        (wanted === Infinity && !this.#saysSameSize(expected, at));
      // Up to here it is no large object: it has shrunk, or says nothing of its size.
      if (size <= chunkSizeMax) continue;
      if (packer.isNaming) {
        held = 0;
        continue;
      }
      const bytes = buffer.subarray(0, held);
      const used = yield* packer.putChunks(bytes, recipe, isEnd);
      buffer.copyWithin(0, used, held);
      held -= used;
    }
    packer.sink.closeLarge();
    whole.digestInto(this.#draft.id);
    const { id } = this.#draft;
    if (size <= chunkSizeMax) {
      if (size > 0) packer.putContent(buffer.subarray(0, size));
    } else if (!packer.isNaming) {
      if (packer.sink.claimLarge(id, 0)) packer.finishRecipe(id);
    }
    if (wanted !== Infinity) return this.#compare(expected, at, size);
    return { size, isStable: this.#file.isUnchanged(expected, at) };
  }

  /** A hash of the file in hand: where there is little else, holes are to cost nothing. */
  #beginWhole(expected: StatTable, at: number): HashStream {
    this.#unstored = this.#file.unstoredSize(expected, at);
    const isSparse = this.#unstored >= SPARSE_PART * expected.size(at);
    const whole = isSparse
      ? this.#sparse ??= this.#packer.hasher.sparseStream()
      : this.#whole;
    whole.reset();
    this.#inHand.forgetFile();
    return whole;
  }

  /** Bytes of a hole that is worth being passed; 0 if there is none. */
  #holeSize(offset: number, size: number): number {
    if (this.#unstored < PASSED_HOLE_MIN || size === Infinity) return 0;
    const hole = this.#file.holeEnd(offset, size) - offset;
    return hole < PASSED_HOLE_MIN ? 0 : hole;
  }

  // deno-lint-ignore require-yield -- the ring waits for other workers as it is
  *#readByRing(
    reader: LargeFileReader,
    ring: LargeFileRing,
    expected: StatTable,
    at: number,
  ): Generator<number, ReadContent> {
    const told = expected.size(at);
    const size = reader.read(ring, this.#file, {
      size: told,
      id: this.#draft.id,
      whole: this.#beginWhole(expected, at),
      holeSize: (offset) => this.#holeSize(offset, told),
      inHand: this.#inHand,
    });
    return this.#compare(expected, at, size);
  }

  #saveExtras(expected: StatTable, at: number, size: number): void {
    const draft = this.#draft;
    const put = (bytes: Uint8Array): Uint8Array =>
      this.#packer.putContent(bytes);
    try {
      const extras = this.#file.extras(expected, at, put, size);
      if (extras !== undefined) draft.noteExtras(extras);
    } catch (error) {
      // The content is sound without them.
      if (!(error instanceof DiskError)) throw error;
      draft.noteError(error);
    }
  }

  /** Compares a file with what was expected, after `read` bytes of it, or one more than that. */
  #compare(expected: StatTable, at: number, read: number): ReadContent {
    const told = expected.size(at);
    const isSame = this.#file.isUnchanged(expected, at);
    // Files of proc say 0, those of sysfs 4096, and no blocks.
    const isMore = read > told || (read === told && this.#hasMore(told));
    const isUntold = this.#file.stats.size(0) === told &&
      (isMore || (read < told && expected.blocks(at) === 0));
    const isStable = isSame && read === told && !isUntold;
    return { size: Math.min(read, told), isStable, isUntold };
  }

  /** Whether a large file goes on: of others one byte more was asked for. */
  #hasMore(size: number): boolean {
    return size > WHOLE_SIZE_MAX && this.#file.read(this.#byte, size) > 0;
  }

  #saysSameSize(expected: StatTable, at: number): boolean {
    this.#file.isUnchanged(expected, at);
    return this.#file.stats.size(0) === expected.size(at);
  }

  #emptyId(): Uint8Array {
    const id = new Uint8Array(32);
    this.#packer.hasher.hashInto(new Uint8Array(0), id);
    return id;
  }
}

/** Hashes bytes; steps, each with the work that was done. */
function* hashBytes(
  hash: HashStream,
  bytes: Uint8Array,
): Generator<number, void> {
  for (let at = 0; at < bytes.length; at += STEP_SIZE) {
    const piece = bytes.subarray(at, at + STEP_SIZE);
    hash.update(piece);
    yield piece.length;
  }
}
