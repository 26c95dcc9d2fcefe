import * as zlib from "node:zlib";
import { zstdCodec } from "@snap/pack/codecs";
import { BLOCK_ROOM, type CompressedBlock, type PlainBlock } from "./block.ts";

/** The largest block of a frame. */
const RAW_SIZE = 128 * 1024;

const codec = zstdCodec();

/** Compresses blocks, each as a member of its own, which every program reads one after the other. */
export class BlockEncoder {
  /** Encoders read no memory that threads share. */
  #own = new Uint8Array(0);

  /** Compresses a block in its place. */
  encode(block: PlainBlock): CompressedBlock {
    const { number, compression, memory, start, length } = block;
    if (this.#own.length < length) this.#own = new Uint8Array(length);
    const plain = this.#own.subarray(0, length);
    plain.set(new Uint8Array(memory, start, length));
    const bytes = compression === "gzip"
      ? zlib.gzipSync(plain)
      : codec.compress(plain) ?? rawFrame(plain);
    new Uint8Array(memory, start, BLOCK_ROOM).set(bytes);
    return { number, length: bytes.length };
  }
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
