import { eachOf } from "../each.ts";
import type { Limiter } from "../wrap/limiter.ts";
import type { Meter } from "../wrap/meter.ts";
import type { SftpSession } from "./sftp_session.ts";

/** Bytes that one transfer has under way at most. */
const WINDOW_SIZE: number = 4 * 1024 * 1024;
/** Requests that one transfer has under way at most. */
const WINDOW_COUNT = 64;

/** Where bytes are read from. */
export interface ByteSource {
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A part of a file. */
interface Part {
  readonly offset: number;
  readonly length: number;
}

/** Moves content, several requests at once, within the limits of all. */
export class Transfer {
  readonly #limiter: Limiter;
  readonly #meter: Meter;

  constructor(limiter: Limiter, meter: Meter) {
    this.#limiter = limiter;
    this.#meter = meter;
  }

  /** Reads a range. Where the file ends before it, what there is. */
  async read(
    session: SftpSession,
    handle: Uint8Array,
    range: Part,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const bytes = new Uint8Array(range.length);
    let end = range.length;
    const readPart = async ({ offset, length }: Part) => {
      for (let at = offset; at < Math.min(end, offset + length);) {
        const left = offset + length - at;
        const from = range.offset + at;
        const piece = await session.read(handle, from, left, signal);
        if (piece.length === 0) end = Math.min(end, at);
        bytes.set(piece, at);
        at += piece.length;
        this.#meter.bytesIn += piece.length;
      }
    };
    await this.#each(range.length, session.readSizeMax, signal, readPart);
    return bytes.subarray(0, end);
  }

  /** Reads as much from an offset on as one request gives. */
  async readPiece(
    session: SftpSession,
    handle: Uint8Array,
    offset: number,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    return await this.#limiter.run({ bytes: 0, signal }, async (tell) => {
      const { readSizeMax } = session;
      const piece = await session.read(handle, offset, readSizeMax, signal);
      tell(piece.length);
      this.#meter.bytesIn += piece.length;
      return piece;
    });
  }

  /**
   * Writes all of a source to a new file.
   *
   * @param finish Closes the file. It is called when all is sent, where a server
   * carries out what it is sent in this order, else when all is written. A file
   * that was not written is closed without it.
   */
  async write<T>(
    session: SftpSession,
    handle: Uint8Array,
    source: ByteSource,
    finish: () => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    let finishing: Promise<T> | undefined;
    let left = source.size;
    const writePart = async ({ offset, length }: Part) => {
      const bytes = await source.read(offset, length);
      const writing = session.write(handle, offset, bytes, signal);
      left -= length;
      if (left === 0 && session.isInOrder) {
        finishing = finish();
        finishing.catch(() => {}); // Heard below, unless a write failed.
      }
      await writing;
      this.#meter.bytesOut += length;
    };
    const lanes = session.isInOrder ? undefined : 1;
    const { writeSizeMax } = session;
    try {
      await this.#each(source.size, writeSizeMax, signal, writePart, lanes);
    } catch (error) {
      if (finishing === undefined) session.drop(handle);
      throw error;
    }
    return await (finishing ?? finish());
  }

  async #each(
    size: number,
    partSize: number,
    signal: AbortSignal | undefined,
    run: (part: Part) => Promise<void>,
    lanes: number = Math.min(WINDOW_COUNT, Math.ceil(WINDOW_SIZE / partSize)),
  ): Promise<void> {
    const parts = Array.from({ length: Math.ceil(size / partSize) }, (_, i) => {
      const offset = i * partSize;
      return { offset, length: Math.min(partSize, size - offset) };
    });
    await eachOf(parts, lanes, async (part) => {
      const request = { bytes: part.length, signal };
      await this.#limiter.run(request, () => run(part));
    });
  }
}
