import { EINTR } from "@snap/posix/constants";
import { IoVector, type Posix } from "@snap/posix";
import type { Reply } from "./reply.ts";

/** Pieces that one call takes: UIO_MAXIOV of the kernel, less the head. */
const PIECES_MAX = 1023;

/** Writes replies to the device: head and pieces from where they lie, in one call. */
export class ReplyWriter {
  readonly #posix: Posix;
  readonly #device: number;
  readonly #vector = new IoVector(PIECES_MAX + 1);
  /** Addresses of buffers, which do not move while they live. */
  readonly #addresses = new WeakMap<ArrayBufferLike, bigint>();
  #last: ArrayBufferLike | undefined;
  #lastAddress = 0n;

  constructor(posix: Posix, device: number) {
    this.#posix = posix;
    this.#device = device;
  }

  /**
   * Sends a reply.
   *
   * @returns The number of bytes, or a negative error number.
   */
  send(reply: Reply): number {
    const { head, headSize, pieces } = reply;
    const { views } = pieces;
    let count = pieces.count;
    this.#set(0, head, headSize);
    if (count > PIECES_MAX) {
      const whole = join(views, count, pieces.byteCount);
      this.#set(1, whole, whole.length);
      count = 1;
    } else {
      for (let i = 0; i < count; i++) {
        this.#set(i + 1, views[i], views[i].length);
      }
    }
    for (;;) {
      const sent = this.#posix.writev(this.#device, this.#vector, count + 1);
      if (sent !== -EINTR) return sent;
    }
  }

  #set(i: number, view: Uint8Array, size: number): void {
    const { buffer } = view;
    if (buffer !== this.#last) {
      this.#last = buffer;
      this.#lastAddress = this.#addressOf(buffer);
    }
    this.#vector.set(i, this.#lastAddress + BigInt(view.byteOffset), size);
  }

  #addressOf(buffer: ArrayBufferLike): bigint {
    let address = this.#addresses.get(buffer);
    if (address === undefined) {
      address = this.#posix.addressOf(new Uint8Array(buffer));
      this.#addresses.set(buffer, address);
    }
    return address;
  }
}

function join(
  views: readonly Uint8Array[],
  count: number,
  size: number,
): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (let i = 0; i < count; i++) {
    whole.set(views[i], at);
    at += views[i].length;
  }
  return whole;
}
