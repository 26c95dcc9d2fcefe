import { createHash, type Hash } from "node:crypto";
import * as zlib from "node:zlib";
import { zstdCodec } from "@snap/pack/codecs";
import type { ByteSink } from "../tar/tar_output.ts";

/** Plain bytes that are compressed as one, so that several can be at once. */
const BLOCK_SIZE = 4 * 1024 * 1024;

/** The largest block of a frame. */
const RAW_SIZE = 128 * 1024;

/** Ways of compression. */
export type Compression = "gzip" | "zstd";

/** What became of compressed bytes. */
export interface CompressedDigest {
  /** Their SHA-256, 64 hex digits. */
  readonly sha256: string;
  /** How many there are. */
  readonly byteCount: number;
}

/** A sink that compresses, and has to be told of the end. */
export interface CompressedSink extends ByteSink {
  /**
   * Compresses what is left.
   *
   * @returns What was handed on.
   */
  finish(): Promise<CompressedDigest>;
}

/**
 * Compresses what goes into a sink: block by block, each a member of its own, which
 * every program reads one after the other.
 *
 * @param compression How.
 * @param sink Where the compressed bytes go.
 */
export function compressedSink(
  compression: Compression,
  sink: ByteSink,
): CompressedSink {
  return new BlockCompressor(compression, sink);
}

class BlockCompressor implements CompressedSink {
  readonly #compression: Compression;
  readonly #sink: ByteSink;
  readonly #hash: Hash = createHash("sha256");
  readonly #block = new Uint8Array(BLOCK_SIZE);
  #held = 0;
  #byteCount = 0;

  constructor(compression: Compression, sink: ByteSink) {
    this.#compression = compression;
    this.#sink = sink;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const size = Math.min(BLOCK_SIZE - this.#held, bytes.length - at);
      this.#block.set(bytes.subarray(at, at + size), this.#held);
      this.#held += size;
      at += size;
      if (this.#held === BLOCK_SIZE) await this.#flush();
    }
  }

  async finish(): Promise<CompressedDigest> {
    if (this.#held > 0) await this.#flush();
    return { sha256: this.#hash.digest("hex"), byteCount: this.#byteCount };
  }

  async #flush(): Promise<void> {
    const block = this.#block.subarray(0, this.#held);
    const bytes = compressBlock(this.#compression, block);
    this.#held = 0;
    this.#byteCount += bytes.length;
    this.#hash.update(bytes);
    await this.#sink.write(bytes);
  }
}

const codec = zstdCodec();

/** Compresses a block as a member of its own. */
function compressBlock(
  compression: Compression,
  block: Uint8Array,
): Uint8Array {
  return compression === "gzip"
    ? zlib.gzipSync(block)
    : codec.compress(block)?.slice() ?? rawFrame(block);
}

/** A frame of zstd whose blocks are as they are. */
function rawFrame(plain: Uint8Array): Uint8Array {
  const blockCount = Math.max(1, Math.ceil(plain.length / RAW_SIZE));
  const frame = new Uint8Array(9 + 3 * blockCount + plain.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, 0xfd2fb528, true);
  // The plain size in four bytes, which is the window, too.
  view.setUint8(4, 0xa0);
  view.setUint32(5, plain.length, true);
  let at = 9;
  for (let start = 0; start < plain.length; start += RAW_SIZE) {
    const block = plain.subarray(start, start + RAW_SIZE);
    const isLast = start + RAW_SIZE >= plain.length;
    const header = block.length * 8 + Number(isLast);
    view.setUint16(at, header & 0xffff, true);
    view.setUint8(at + 2, header >> 16);
    frame.set(block, at + 3);
    at += 3 + block.length;
  }
  return frame;
}
