import { checkBytes } from "../check_bytes.ts";
import { Chunker, type ChunkSizes, DEFAULT_CHUNK_SIZES } from "./chunker.ts";

/** Bytes gathered before they are cut, so that a batch holds many chunks. */
const BATCH_SIZE = 1 << 20;

/** Gathers bytes until they can be cut. */
class ChunkBuffer {
  readonly #chunker: Chunker;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #size = 0;

  constructor(sizes: ChunkSizes) {
    this.#chunker = new Chunker(sizes);
    this.#bytes = new Uint8Array(Math.max(BATCH_SIZE, 2 * sizes.sizeMax));
  }

  get isFull(): boolean {
    return this.#size === this.#bytes.length;
  }

  /** Takes what fits of `bytes` from `start` and returns how much that was. */
  fill(bytes: Uint8Array, start: number): number {
    checkBytes(bytes, "content");
    const size = Math.min(
      bytes.length - start,
      this.#bytes.length - this.#size,
    );
    this.#bytes.set(bytes.subarray(start, start + size), this.#size);
    this.#size += size;
    return size;
  }

  /** Copies the chunks that more bytes cannot change out, and keeps the rest. */
  take(): Uint8Array<ArrayBuffer>[] {
    return this.#cut(this.#chunker.sizes.sizeMax);
  }

  /** Copies all chunks out, as the content ends here. */
  takeRest(): Uint8Array<ArrayBuffer>[] {
    return this.#cut(1);
  }

  /** Cuts while at least `sizeNeeded` bytes are left. */
  #cut(sizeNeeded: number): Uint8Array<ArrayBuffer>[] {
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let start = 0;
    while (this.#size - start >= sizeNeeded) {
      const end = this.#chunker.cut(this.#bytes, start, this.#size);
      chunks.push(this.#bytes.slice(start, end));
      start = end;
    }
    this.#bytes.copyWithin(0, start, this.#size);
    this.#size -= start;
    return chunks;
  }
}

/**
 * A transform stream from the bytes of one content to batches of its chunks, which
 * own their memory. How the bytes come in pieces does not matter.
 *
 * @example
 * ```ts
 * import { ChunkStream } from "@snap/hash/chunk";
 * import { strictEqual } from "node:assert/strict";
 *
 * const content = new Blob([new Uint8Array(1 << 20)]).stream();
 * let size = 0;
 * for await (const chunks of content.pipeThrough(new ChunkStream())) {
 *   for (const chunk of chunks) size += chunk.length;
 * }
 * strictEqual(size, 1 << 20);
 * ```
 */
export class ChunkStream
  extends TransformStream<Uint8Array, Uint8Array<ArrayBuffer>[]> {
  /**
   * Cuts by these sizes.
   *
   * @param sizes What decides where chunks end, as the settings of a store say.
   * @throws {RangeError} If a {@linkcode Chunker} cannot have these sizes.
   */
  constructor(sizes: ChunkSizes = DEFAULT_CHUNK_SIZES) {
    const buffer = new ChunkBuffer(sizes);
    super({
      transform(bytes, controller) {
        for (let start = 0; start < bytes.length;) {
          start += buffer.fill(bytes, start);
          if (buffer.isFull) controller.enqueue(buffer.take());
        }
      },
      flush(controller) {
        const chunks = buffer.takeRest();
        if (chunks.length > 0) controller.enqueue(chunks);
      },
    });
  }
}
