import { ID_SIZE } from "@snap/hash";
import { SharedFrameCache } from "@snap/pack/cache";
import { TableList } from "@snap/pack/objects";
import {
  type PoolJob,
  type PoolOwner,
  WorkerPool,
} from "@snap/posix/worker-pool";
import type { Snapshots } from "@snap/snapshot";
import type { View, ViewEntry } from "@snap/snapshot/view";
import type { StoreOptions } from "@snap/store";
import { orAborted } from "@snap/store/wrap";
import type { ToFormatsWorker } from "../messages.ts";
import { workerUrl } from "../worker_url.ts";
import { BatchReader, type BatchReaderConfig } from "./batch_reader.ts";
import {
  BATCH_COUNT,
  BATCH_SIZE,
  type ContentBatch,
  type ContentBatchResult,
  type ContentPiece,
} from "./content_batch.ts";
import type { Contents } from "./contents.ts";
import { PieceList } from "./piece_list.ts";

/** Memory for decoded frames. */
const CACHE_SIZE = 16 << 20;
/** So little is read here, as workers are not worth their start. */
const SMALL_SIZE = 8 << 20;
/** What finding a file costs, in bytes read. */
const FILE_COST = 4096;

/** A batch, and the pieces that it was made of. */
interface Batch extends PoolJob {
  readonly pieces: readonly ContentPiece[];
  readonly memory: ContentBatch;
  /** Rows that could not be read, once it was read. */
  failed: readonly number[] | undefined;
}

/** What {@linkcode NearContents} reads. */
export interface NearContentsOptions extends StoreOptions {
  readonly snapshots: Snapshots;
  readonly view: View;
  /** The beginning of the path of each file of the store. */
  readonly prefix: string;
  /** Workers that read; none reads in this thread. */
  readonly workers: number;
}

/** Contents of a store whose files this program may open: workers read them ahead. */
export class NearContents
  implements Contents, PoolOwner<Batch, ContentBatchResult> {
  readonly #options: NearContentsOptions;
  readonly #config: BatchReaderConfig;
  readonly #pieces = new PieceList();
  /** Those that are being read or taken, in order. */
  readonly #batches: Batch[] = [];
  readonly #memory: SharedArrayBuffer;
  readonly #free: number[] = [];
  #pool: WorkerPool<Batch, ContentBatchResult> | undefined;
  #inline: BatchReader | undefined;
  #number = 0;
  #cost = 0;
  /** The next piece of the first batch, and where it begins in the memory. */
  #row = 0;
  #at = 0;
  #failure: { readonly error: unknown } | undefined;

  private constructor(
    options: NearContentsOptions,
    config: BatchReaderConfig,
  ) {
    this.#options = options;
    this.#config = config;
    const count = 2 * options.workers + 2;
    this.#memory = new SharedArrayBuffer(count * BATCH_SIZE);
    for (let i = count; i-- > 0;) this.#free.push(i * BATCH_SIZE);
  }

  /** Reads nothing yet but which tables the index has. */
  static async open(options: NearContentsOptions): Promise<NearContents> {
    const index = await options.snapshots.index();
    const tables = TableList.create();
    tables.add(index.storedTables);
    return new NearContents(options, {
      prefix: options.prefix,
      tables: tables.buffer,
      cache: SharedFrameCache.create({ sizeMax: CACHE_SIZE }).buffer,
    });
  }

  get isFull(): boolean {
    return this.#pieces.byteCount >= BATCH_SIZE;
  }

  want(entry: ViewEntry, runs: readonly number[]): void {
    this.#pieces.push(entry, runs);
    while (this.isFull && this.#free.length > 0) this.#cut();
  }

  next(): Promise<Uint8Array> | Uint8Array {
    if (this.#batches[0]?.pieces.length === this.#row) this.#drop();
    if (this.#batches.length === 0) this.#cut();
    const [batch] = this.#batches;
    if (batch.failed === undefined && this.#pool !== undefined) {
      return this.#nextRead();
    }
    batch.failed ??= this.#readHere(batch);
    return this.#take(batch);
  }

  async #nextRead(): Promise<Uint8Array> {
    const [batch] = this.#batches;
    while (batch.failed === undefined && this.#failure === undefined) {
      await orAborted(this.#pool!.changed(), this.#options.signal);
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    return await this.#take(batch);
  }

  #take(batch: Batch): Promise<Uint8Array> | Uint8Array {
    const { pieces, memory, failed } = batch;
    const { entry, offset, length } = pieces[this.#row];
    const bytes = new Uint8Array(
      memory.memory,
      memory.start + this.#at,
      length,
    );
    const isFailed = failed!.includes(this.#row++);
    this.#at += length;
    if (!isFailed) return bytes;
    const { signal, view } = this.#options;
    return view.read(entry, { ...signal && { signal }, offset, length });
  }

  /** Gives the memory of the first batch to the next. */
  #drop(): void {
    this.#free.push(this.#batches.shift()!.memory.start);
    this.#row = this.#at = 0;
    while (this.isFull && this.#free.length > 0) this.#cut();
  }

  /** Makes a batch of what is wanted next. */
  #cut(): void {
    const pieces: ContentPiece[] = [];
    let byteCount = 0;
    for (;;) {
      const piece = this.#pieces.peek();
      if (piece === undefined || pieces.length === BATCH_COUNT) break;
      if (byteCount + piece.length > BATCH_SIZE) break;
      this.#pieces.take(piece);
      pieces.push(piece);
      byteCount += piece.length;
    }
    const number = this.#number++;
    const memory = batchOf(pieces, {
      ...{ number, memory: this.#memory, start: this.#free.pop()! },
    });
    const batch = { number, byteCount, pieces, memory, failed: undefined };
    this.#batches.push(batch);
    this.#cost += byteCount + FILE_COST * pieces.length;
    if (this.#pool !== undefined) this.#pool.submit(batch);
    else if (this.#options.workers > 0 && this.#cost > SMALL_SIZE) {
      this.#startPool();
    }
  }

  #startPool(): void {
    const { workers: count } = this.#options;
    const url = workerUrl();
    this.#pool = new WorkerPool({ count, url, owner: this });
    for (const batch of this.#batches) {
      if (batch.failed === undefined) this.#pool.submit(batch);
    }
  }

  #readHere({ memory }: Batch): number[] {
    const { hasher } = this.#options.snapshots;
    this.#inline ??= new BatchReader(this.#config, hasher);
    return this.#inline.read(memory);
  }

  /** @inheritDoc */
  begin(): ToFormatsWorker {
    const { name: hasher } = this.#options.snapshots.hasher;
    return { type: "begin", config: { ...this.#config, hasher } };
  }

  /** @inheritDoc */
  give({ memory }: Batch): ToFormatsWorker {
    return { type: "read", batch: memory };
  }

  /** @inheritDoc */
  end(): ToFormatsWorker {
    return { type: "close" };
  }

  /** @inheritDoc */
  takeResult(batch: Batch, { failed }: ContentBatchResult): void {
    batch.failed = failed;
  }

  /** @inheritDoc */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Ends the workers, and closes the files. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#inline?.[Symbol.dispose]();
    await this.#pool?.close();
  }
}

function batchOf(
  pieces: readonly ContentPiece[],
  place: Pick<ContentBatch, "number" | "memory" | "start">,
): ContentBatch {
  const count = pieces.length;
  const ids = new Uint8Array(ID_SIZE * count);
  const sizes = new Float64Array(count);
  const offsets = new Float64Array(count);
  const lengths = new Uint32Array(count);
  for (const [row, { entry, offset, length }] of pieces.entries()) {
    ids.set(entry.idBytes, ID_SIZE * row);
    sizes[row] = entry.size;
    offsets[row] = offset;
    lengths[row] = length;
  }
  return { ...place, ids, sizes, offsets, lengths };
}
