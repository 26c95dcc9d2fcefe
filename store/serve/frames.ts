/** Frames on a pipe: docs/PROTOCOL.md. */
import { joinChunks } from "./body.ts";

/** First bytes of each side. */
export const PREAMBLE = "SNAPPIP1";
/** Size of the head of a frame in bytes. */
export const FRAME_SIZE = 16;
/** Size of the largest JSON that says what a body belongs to. */
export const HEAD_SIZE_MAX: number = 64 * 1024;

/** Types of frames. */
export const FRAME_TYPE = {
  /** A request, with all of its body. */
  request: 1,
  /** The beginning of an answer. */
  answer: 2,
  /** More of the body of an answer. */
  more: 3,
  /** The end of an answer before its end, or the wish for one. */
  stop: 4,
} as const;

export interface Frame {
  readonly type: number;
  /** Whether more of this body follows. */
  readonly hasMore: boolean;
  /** The number of the request. */
  readonly id: number;
  /** A JSON object; empty for none. */
  readonly head: Uint8Array;
  readonly body: Uint8Array;
}

/** A pipe of bytes, such as a child's standard output and input. */
export interface Pipe {
  /** Bytes from the other side. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Bytes to it. */
  readonly writable: WritableStream<Uint8Array>;
}

const EMPTY = new Uint8Array(0);

/** Thrown where what comes through a pipe is not what it must be. */
export class FrameError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "FrameError";
  }
}

/** Writes frames, each in one piece, whoever else writes. */
export class FrameWriter {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(writable: WritableStream<Uint8Array>) {
    this.#writer = writable.getWriter();
  }

  /** Writes what this side begins with. */
  async begin(): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(PREAMBLE));
  }

  /** Writes a frame and waits until it is taken. */
  async write(
    frame: { type: number; id: number } & Partial<Frame>,
  ): Promise<void> {
    const { type, id, head = EMPTY, body = EMPTY, hasMore = false } = frame;
    const bytes = new Uint8Array(FRAME_SIZE + head.length);
    const view = new DataView(bytes.buffer);
    bytes[0] = type;
    bytes[1] = hasMore ? 1 : 0;
    view.setUint32(4, id, true);
    view.setUint32(8, head.length, true);
    view.setUint32(12, body.length, true);
    bytes.set(head, FRAME_SIZE);
    // Both are queued before anything else can be.
    const writes = [this.#writer.write(bytes)];
    if (body.length > 0) writes.push(this.#writer.write(body));
    await Promise.all(writes);
  }

  /** Ends the pipe towards the other side. */
  async close(): Promise<void> {
    await this.#writer.close();
  }

  /** Gives the pipe up. */
  async abort(reason: unknown): Promise<void> {
    await this.#writer.abort(reason);
  }
}

export class FrameReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #bodySizeMax: number;
  #rest: Uint8Array = EMPTY;

  constructor(readable: ReadableStream<Uint8Array>, bodySizeMax: number) {
    this.#reader = readable.getReader();
    this.#bodySizeMax = bodySizeMax;
  }

  /** Reads what the other side begins with. */
  async begin(): Promise<void> {
    const bytes = await this.#take(PREAMBLE.length);
    const found = new TextDecoder().decode(bytes ?? this.#rest);
    if (found === PREAMBLE) return;
    throw new FrameError(
      bytes === undefined && found === ""
        ? "it ended without a word"
        : `it must begin with ${PREAMBLE}: found ${JSON.stringify(found)}`,
    );
  }

  /** Reads the next frame; undefined at the end. */
  async read(): Promise<Frame | undefined> {
    const bytes = await this.#take(FRAME_SIZE);
    if (bytes === undefined) {
      if (this.#rest.length === 0) return undefined;
      throw new FrameError("it ended in the middle of a frame");
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, FRAME_SIZE);
    const headSize = view.getUint32(8, true);
    const bodySize = view.getUint32(12, true);
    const isKnown = bytes[0] >= FRAME_TYPE.request &&
      bytes[0] <= FRAME_TYPE.stop && bytes[1] <= 1 && bytes[2] === 0 &&
      bytes[3] === 0;
    if (
      !isKnown || headSize > HEAD_SIZE_MAX || bodySize > this.#bodySizeMax
    ) {
      throw new FrameError(
        `a frame must be one of ${this.#bodySizeMax} bytes at most: found type ${
          bytes[0]
        } with ${headSize} and ${bodySize} bytes`,
      );
    }
    const head = await this.#take(headSize);
    const body = head && await this.#take(bodySize);
    if (head === undefined || body === undefined) {
      throw new FrameError("it ended in the middle of a frame");
    }
    const hasMore = bytes[1] === 1;
    return { type: bytes[0], hasMore, id: view.getUint32(4, true), head, body };
  }

  /** Stops reading. */
  async cancel(reason?: unknown): Promise<void> {
    await this.#reader.cancel(reason);
  }

  /** Takes so many bytes; undefined if there are fewer, which stay. */
  async #take(size: number): Promise<Uint8Array | undefined> {
    const chunks = [this.#rest];
    let have = this.#rest.length;
    while (have < size) {
      const { done, value } = await this.#reader.read();
      if (done) {
        this.#rest = joinChunks(chunks, have);
        return undefined;
      }
      chunks.push(value);
      have += value.length;
    }
    const all = joinChunks(chunks, have);
    this.#rest = all.subarray(size);
    return all.subarray(0, size);
  }
}

/** The JSON object in the head of a frame, or undefined if it is none. */
export function headOf(
  { head }: Frame,
): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = JSON.parse(
      new TextDecoder("utf-8", { fatal: true }).decode(head),
    );
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A head as bytes. */
export function encodeHead(
  value: Readonly<Record<string, unknown>>,
): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
