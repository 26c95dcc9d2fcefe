import { createHash, type Hash } from "node:crypto";
import {
  type PoolJob,
  type PoolOwner,
  WorkerPool,
} from "@snap/posix/worker-pool";
import type { ByteSink } from "../byte_sink.ts";
import type { ToFormatsWorker } from "../messages.ts";
import { workerUrl } from "../worker_url.ts";
import {
  BLOCK_ROOM,
  BLOCK_SIZE,
  type CompressedBlock,
  type Compression,
  type PlainBlock,
} from "./block.ts";
import { BlockEncoder } from "./block_encoder.ts";

export type { Compression } from "./block.ts";

/** The first blocks are compressed here, as workers are not worth their start. */
const SMALL_COUNT = 2;

/** What became of compressed bytes. */
export interface CompressedDigest {
  /** Their SHA-256, 64 hex digits. */
  readonly sha256: string;
  /** How many there are. */
  readonly byteCount: number;
}

/** A sink that compresses, and has to be told of the end. */
export interface CompressedSink extends ByteSink, AsyncDisposable {
  /**
   * Compresses what is left.
   *
   * @returns What was handed on.
   */
  finish(): Promise<CompressedDigest>;
}

/** Options of {@linkcode compressedSink}. */
export interface CompressedSinkOptions {
  /**
   * Workers that compress; the bytes do not depend on it.
   *
   * @default {0}
   */
  readonly workers?: number;
}

/**
 * Compresses what goes into a sink: in blocks of 4 MiB, each a member of its own,
 * which every program reads one after the other.
 *
 * @param compression How.
 * @param sink Where the compressed bytes go.
 * @param options How many workers.
 */
export function compressedSink(
  compression: Compression,
  sink: ByteSink,
  { workers = 0 }: CompressedSinkOptions = {},
): CompressedSink {
  return new BlockCompressor(compression, sink, workers);
}

/** A block that is filled, compressed or handed on. */
interface Block extends PoolJob {
  readonly plain: PlainBlock;
  /** Bytes that it was compressed to. */
  compressedSize: number | undefined;
}

class BlockCompressor
  implements CompressedSink, PoolOwner<Block, CompressedBlock> {
  readonly #compression: Compression;
  readonly #sink: ByteSink;
  readonly #workers: number;
  readonly #hash: Hash = createHash("sha256");
  readonly #encoder = new BlockEncoder();
  readonly #memory: SharedArrayBuffer;
  readonly #free: number[] = [];
  readonly #out = new Uint8Array(BLOCK_ROOM);
  /** Blocks that were filled and not handed on, in order. */
  readonly #blocks: Block[] = [];
  #pool: WorkerPool<Block, CompressedBlock> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #number = 0;
  #start: number;
  #held = 0;
  #byteCount = 0;

  constructor(compression: Compression, sink: ByteSink, workers: number) {
    this.#compression = compression;
    this.#sink = sink;
    this.#workers = workers;
    // Two for each worker, and one that is filled.
    const count = 2 * workers + 1;
    this.#memory = new SharedArrayBuffer(count * BLOCK_ROOM);
    for (let i = count; --i > 0;) this.#free.push(i * BLOCK_ROOM);
    this.#start = 0;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const size = Math.min(BLOCK_SIZE - this.#held, bytes.length - at);
      new Uint8Array(this.#memory, this.#start + this.#held)
        .set(bytes.subarray(at, at + size));
      this.#held += size;
      at += size;
      if (this.#held === BLOCK_SIZE) await this.#flush();
    }
  }

  async finish(): Promise<CompressedDigest> {
    if (this.#held > 0) await this.#flush();
    while (this.#blocks.length > 0) await this.#handOn();
    return { sha256: this.#hash.digest("hex"), byteCount: this.#byteCount };
  }

  /** Has the block compressed, and finds room for the next. */
  async #flush(): Promise<void> {
    const block = this.#endBlock();
    this.#blocks.push(block);
    if (this.#workers > 0 && block.number >= SMALL_COUNT) {
      this.#pool ??= new WorkerPool({
        ...{ count: this.#workers, url: workerUrl() },
        ...{ owner: this, startsAll: true },
      });
      this.#pool.submit(block);
    } else this.takeResult(block, this.#encoder.encode(block.plain));
    while (
      this.#blocks[0]?.compressedSize !== undefined || this.#free.length === 0
    ) {
      await this.#handOn();
    }
    this.#start = this.#free.pop()!;
  }

  #endBlock(): Block {
    const number = this.#number++;
    const length = this.#held;
    const plain = {
      ...{ number, compression: this.#compression, length },
      ...{ memory: this.#memory, start: this.#start },
    };
    this.#held = 0;
    return { number, byteCount: length, plain, compressedSize: undefined };
  }

  /** Hands the first block on, once it is compressed. */
  async #handOn(): Promise<void> {
    const [block] = this.#blocks;
    while (block.compressedSize === undefined && this.#failure === undefined) {
      await this.#pool!.changed();
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#blocks.shift();
    const { memory, start } = block.plain;
    // Not all that take bytes take memory that threads share.
    const bytes = this.#out.subarray(0, block.compressedSize);
    bytes.set(new Uint8Array(memory, start, bytes.length));
    this.#free.push(start);
    this.#byteCount += bytes.length;
    this.#hash.update(bytes);
    await this.#sink.write(bytes);
  }

  /** @inheritDoc */
  begin(): ToFormatsWorker {
    return { type: "begin" };
  }

  /** @inheritDoc */
  give({ plain }: Block): ToFormatsWorker {
    return { type: "compress", block: plain };
  }

  /** @inheritDoc */
  end(): ToFormatsWorker {
    return { type: "close" };
  }

  /** @inheritDoc */
  takeResult(block: Block, { length }: CompressedBlock): void {
    block.compressedSize = length;
  }

  /** @inheritDoc */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Ends the workers. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool?.close();
  }
}
