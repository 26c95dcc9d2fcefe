/** Bodies on their way in and out, held to limits of bytes and of time. */
import { Refusal } from "./answer.ts";

/** Room for bodies in memory, given out in the order in which it was asked for. */
export class ByteGate {
  /** Most bytes in memory at once. */
  readonly sizeMax: number;
  readonly #waiting: { bytes: number; enter: () => void }[] = [];
  #free: number;

  constructor(bytes: number) {
    this.sizeMax = bytes;
    this.#free = bytes;
  }

  /** Waits for room. What is wanted must fit the gate. */
  async enter(bytes: number): Promise<void> {
    if (this.#waiting.length === 0 && bytes <= this.#free) {
      this.#free -= bytes;
      return;
    }
    await new Promise<void>((enter) => this.#waiting.push({ bytes, enter }));
  }

  /** Gives room back. */
  leave(bytes: number): void {
    this.#free += bytes;
    while (this.#waiting.length > 0 && this.#waiting[0].bytes <= this.#free) {
      const { bytes, enter } = this.#waiting.shift()!;
      this.#free -= bytes;
      enter();
    }
  }
}

/** Bytes that have to come in each span of `idleMs`. */
const SIZE_EACH_IDLE = 1024 * 1024;

/** Limits of reading a body. */
export interface BodyLimits {
  readonly sizeMax: number;
  readonly idleMs: number;
  readonly gate: ByteGate;
}

/** Reads all of a body, hands it on, and holds room for it as long as that takes. */
export async function withBody<T>(
  request: Request,
  { sizeMax, idleMs, gate }: BodyLimits,
  use: (body: Uint8Array) => Promise<T>,
): Promise<T> {
  const header = request.headers.get("content-length");
  const claimed = header === null ? undefined : Number(header);
  if (claimed !== undefined && !(claimed <= sizeMax)) {
    throw new Refusal(413, "TOOLARGE", { "snap-body-max": `${sizeMax}` });
  }
  const room = claimed ?? sizeMax;
  return await withRoom(
    gate,
    room,
    async () => await use(await readAll(request, room, claimed, idleMs)),
  );
}

/** Holds room for bytes as long as something runs. */
export async function withRoom<T>(
  gate: ByteGate,
  bytes: number,
  run: () => Promise<T>,
): Promise<T> {
  await gate.enter(bytes);
  try {
    return await run();
  } finally {
    gate.leave(bytes);
  }
}

async function readAll(
  request: Request,
  sizeMax: number,
  claimed: number | undefined,
  idleMs: number,
): Promise<Uint8Array> {
  // Of a known size it is gathered where it is wanted.
  const whole = claimed === undefined ? undefined : new Uint8Array(claimed);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  let isLate = false;
  // One that trickles in must not hold the room of others for long.
  const timer = setTimeout(() => {
    isLate = true;
    reader?.cancel().catch(() => {});
  }, idleMs * (1 + sizeMax / SIZE_EACH_IDLE));
  try {
    while (reader !== undefined) {
      const { done, value } = await reader.read();
      if (done) break;
      if (size + value.length > sizeMax) throw new Refusal(413, "TOOLARGE");
      if (whole === undefined) chunks.push(value);
      else whole.set(value, size);
      size += value.length;
    }
  } catch (error) {
    reader?.cancel().catch(() => {});
    throw error instanceof Refusal ? error : new Refusal(400, "TRUNCATED");
  } finally {
    clearTimeout(timer);
  }
  if (isLate) throw new Refusal(408, "ETIMEDOUT");
  if (claimed !== undefined && size !== claimed) {
    throw new Refusal(400, "TRUNCATED");
  }
  return whole ?? joinChunks(chunks, size);
}

/** Chunks as one run of bytes. */
export function joinChunks(
  chunks: readonly Uint8Array[],
  size: number,
): Uint8Array {
  if (chunks.length === 1) return chunks[0];
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/**
 * A body made of pieces, each made when there is a taker for it. One that is not
 * taken in time ends it: a client that went to sleep holds nothing for ever.
 */
export function streamOf(
  pieces: AsyncGenerator<Uint8Array>,
  idleMs: number,
): ReadableStream<Uint8Array> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      clearTimeout(timer);
      const { done, value } = await pieces.next();
      if (done) return controller.close();
      timer = setTimeout(() => {
        controller.error(new Error("Cannot answer: nobody takes the answer"));
        pieces.return(undefined).catch(() => {});
      }, idleMs);
      controller.enqueue(value);
    },
    async cancel() {
      clearTimeout(timer);
      await pieces.return(undefined);
    },
  }, { highWaterMark: 0 });
}

/** A body that tells how many bytes it had when it ends, however it ends. */
export function countedStream(
  body: ReadableStream<Uint8Array>,
  onEnd: (bytes: number, error?: unknown) => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let bytes = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) {
          bytes += value.length;
          return controller.enqueue(value);
        }
        controller.close();
        onEnd(bytes);
      } catch (error) {
        controller.error(error);
        onEnd(bytes, error);
      }
    },
    async cancel(reason) {
      onEnd(bytes, reason);
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
