import { RequestHead } from "./protocol.ts";

/** The fields of a request, read where they lie; nothing outside of it is read. */
export class Request {
  /** The whole message. */
  bytes: Uint8Array = new Uint8Array(0);
  /** The operation code. */
  opcode = 0;
  /** Number of the request. */
  uniqueLow = 0;
  uniqueHigh = 0;
  /** Node id. */
  nodeLow = 0;
  nodeHigh = 0;

  /** Takes a message, and says whether it has a head: else there is no number to answer to. */
  read(bytes: Uint8Array): boolean {
    if (bytes.length < RequestHead.size) return false;
    this.bytes = bytes;
    this.opcode = this.#u32(RequestHead.opcode);
    this.uniqueLow = this.#u32(RequestHead.unique);
    this.uniqueHigh = this.#u32(RequestHead.unique + 4);
    this.nodeLow = this.#u32(RequestHead.node);
    this.nodeHigh = this.#u32(RequestHead.node + 4);
    return true;
  }

  /** Whether the message is as long as it says. */
  get isWhole(): boolean {
    return this.#u32(RequestHead.length) === this.bytes.length;
  }

  get bodySize(): number {
    return this.bytes.length - RequestHead.size;
  }

  /** A number of 32 bits of the body, which must have it. */
  u32(at: number): number {
    return this.#u32(RequestHead.size + at);
  }

  /** A number of 64 bits of the body; above 2^53 it is near. */
  u64(at: number): number {
    return this.u32(at) + this.u32(at + 4) * 2 ** 32;
  }

  /** Where in the message the NUL behind a name is that begins in the body at `at`; -1 if there is none. */
  nameEnd(at: number): number {
    return this.bytes.indexOf(0, RequestHead.size + at);
  }

  #u32(at: number): number {
    const { bytes } = this;
    return (bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 |
      bytes[at + 3] << 24) >>> 0;
  }
}
