import { Pieces } from "./pieces.ts";
import { ReplyHead } from "./protocol.ts";

// Answers to a request: an error number, 0 with the body that was written, or one of these.

/** Bytes are on their way: nothing is sent, the request is handled again. */
export const PENDING = -1;

/** The main thread answers. */
export const FORWARD = -2;

/** The kernel expects no reply. */
export const SILENT = -3;

/** Largest body that is written into the head; content goes into pieces. */
const BODY_SIZE_MAX = 128 * 1024;

/**
 * A reply to the kernel: a head in memory of its own, then pieces of memory of
 * others. One is used for all requests.
 */
export class Reply {
  /** The header of 16 bytes, then the body that was written. */
  readonly head: Uint8Array<ArrayBuffer> = new Uint8Array(
    ReplyHead.size + BODY_SIZE_MAX,
  );
  /** The same bytes, to write numbers. */
  readonly view: DataView<ArrayBuffer> = new DataView(this.head.buffer);
  /** The bytes behind the head. */
  readonly pieces: Pieces = new Pieces();
  /** Bytes of the head that count. */
  headSize: number = ReplyHead.size;

  /** Begins the reply to a request, with an empty body. */
  begin(uniqueLow: number, uniqueHigh: number): void {
    this.view.setUint32(ReplyHead.unique, uniqueLow, true);
    this.view.setUint32(ReplyHead.unique + 4, uniqueHigh, true);
    this.clear();
  }

  /** Takes back the body. */
  clear(): void {
    this.headSize = ReplyHead.size;
    this.pieces.clear();
  }

  /**
   * Finishes the reply.
   *
   * @param errno Positive error number, with which there is no body, or 0.
   */
  finish(errno: number): void {
    if (errno !== 0) this.clear();
    const { view, headSize, pieces } = this;
    view.setUint32(ReplyHead.length, headSize + pieces.byteCount, true);
    view.setInt32(ReplyHead.error, -errno, true);
  }

  /** Bytes of head and pieces. */
  get size(): number {
    return this.headSize + this.pieces.byteCount;
  }

  /**
   * Adds bytes of zero to the head.
   *
   * @param size How many, a multiple of 4 that fits.
   */
  addZeros(size: number): number {
    const start = this.headSize;
    for (let at = start; at < start + size; at += 4) {
      this.view.setUint32(at, 0, true);
    }
    this.headSize = start + size;
    return start;
  }
}
