import { createHash, type Hash } from "node:crypto";
import * as zlib from "node:zlib";
import type { ByteSink } from "../tar/tar_output.ts";

/** Plain bytes that are compressed as one, so that several can be at once. */
const BLOCK_SIZE = 4 * 1024 * 1024;

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

/** Compresses a block as a member of its own. */
export function compressBlock(
  compression: Compression,
  block: Uint8Array,
): Uint8Array {
  return compression === "gzip"
    ? zlib.gzipSync(block)
    : zlib.zstdCompressSync(block);
}
