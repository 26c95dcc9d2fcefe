/**
 * A store over a pipe, such as standard input and output behind `ssh`.
 *
 * @module
 */
import { failureAnswer, Refusal, responseOf } from "./answer.ts";
import {
  encodeHead,
  type Frame,
  FRAME_TYPE,
  FrameError,
  FrameReader,
  FrameWriter,
  headOf,
  type Pipe,
} from "./frames.ts";
import { BODY_SIZE_MAX } from "./protocol.ts";
import { Server } from "./server.ts";
import type { Right, ServedStore, ServeLimits } from "./options.ts";

export type { Pipe };

/** Options of {@link servePipe}. */
export interface ServePipeOptions extends ServeLimits {
  /** Right of the other side, which was let in by the maker of the pipe. */
  readonly right: Right;
}

/** Most requests at work at once; more are read when one of them is answered. */
const AT_WORK_MAX = 64;
const PIECE_SIZE = 1024 * 1024;
/** Path of a request: a name or `~verb`, and parameters. */
const PATH = /^(~[a-z]+|[a-z0-9._%/-]+)(\?[\x21-\x7e]*)?$/;
const METHOD = /^(GET|HEAD|PUT|POST|DELETE)$/;

/**
 * Serves a store to the other side of a pipe, until that side ends or the signal
 * is aborted. What is at work then is finished.
 *
 * @example Both sides of a pipe in one program
 * ```ts
 * import { openPipeStore } from "@snap/store/http";
 * import { MemoryStore } from "@snap/store/memory";
 * import { servePipe } from "@snap/store/serve";
 * import { strictEqual } from "node:assert/strict";
 *
 * const there = new TransformStream<Uint8Array>();
 * const back = new TransformStream<Uint8Array>();
 * const served = servePipe(
 *   new MemoryStore(),
 *   { readable: there.readable, writable: back.writable },
 *   { right: "append" },
 * );
 * const store = await openPipeStore({ readable: back.readable, writable: there.writable });
 * strictEqual(await store.create("index/aa", new Uint8Array(3)), true);
 * await store[Symbol.asyncDispose]();
 * await served;
 * ```
 *
 * @param store The store. Of one that only reads, the rest is refused.
 * @param pipe What comes in, and where answers go.
 * @param options What the other side may do, limits, a log, an end.
 * @throws {Error} If the other side speaks another language, or ends in the middle of a request.
 */
export async function servePipe(
  store: ServedStore,
  pipe: Pipe,
  options: ServePipeOptions,
): Promise<void> {
  const { right, signal } = options;
  const server = new Server(store, options, {
    base: "/",
    admit: () => Promise.resolve({ right, byToken: true }),
  });
  const { bodySizeMax = BODY_SIZE_MAX } = options;
  const reader = new FrameReader(pipe.readable, bodySizeMax);
  const writer = new FrameWriter(pipe.writable);
  const session = new Session(server, writer);
  const stop = () => void reader.cancel().catch(() => {});
  signal?.addEventListener("abort", stop, { once: true });
  try {
    await writer.begin();
    if (!signal?.aborted) await reader.begin();
    for (;;) {
      const frame = signal?.aborted ? undefined : await reader.read();
      if (frame === undefined) break;
      await session.take(frame);
    }
    await session.finish();
    await writer.close();
  } catch (cause) {
    if (!signal?.aborted) session.abort();
    await session.finish();
    if (signal?.aborted) return await writer.close().catch(() => {});
    await writer.abort(cause).catch(() => {});
    if (!(cause instanceof FrameError)) throw cause;
    throw new Error(`Cannot serve a pipe: ${cause.message}`, { cause });
  } finally {
    signal?.removeEventListener("abort", stop);
    await reader.cancel().catch(() => {});
    await server.close();
  }
}

/** Requests at work for one pipe. */
class Session {
  readonly #server: Server;
  readonly #writer: FrameWriter;
  readonly #work = new Map<
    number,
    { stop: AbortController; end: Promise<void> }
  >();

  constructor(server: Server, writer: FrameWriter) {
    this.#server = server;
    this.#writer = writer;
  }

  /** Takes a frame; waits where there is too much at work already. */
  async take(frame: Frame): Promise<void> {
    const { type, id } = frame;
    if (type === FRAME_TYPE.stop) return this.#work.get(id)?.stop.abort();
    const isRequest = type === FRAME_TYPE.request && !frame.hasMore;
    if (!isRequest || this.#work.has(id)) {
      throw new FrameError(`a request must come: found type ${type} of ${id}`);
    }
    const stop = new AbortController();
    const end = this.#answer(frame, stop.signal)
      .catch(() => {}) // The pipe is gone, which its reader finds, too.
      .finally(() => this.#work.delete(id));
    this.#work.set(id, { stop, end });
    if (this.#work.size >= AT_WORK_MAX) {
      await Promise.race(Array.from(this.#work.values(), ({ end }) => end));
    }
  }

  /** Waits for what is at work. */
  async finish(): Promise<void> {
    await Promise.all(Array.from(this.#work.values(), ({ end }) => end));
  }

  /** Tells what is at work that nobody waits for it. */
  abort(): void {
    for (const { stop } of this.#work.values()) stop.abort();
  }

  async #answer(frame: Frame, signal: AbortSignal): Promise<void> {
    const { id } = frame;
    const request = requestOf(frame, signal);
    const { status, headers, body } = request === undefined
      ? responseOf(failureAnswer(new Refusal(400, "EINVAL")), false)
      : await this.#server.answer(request);
    const head = encodeHead({ status, headers: Object.fromEntries(headers) });
    if (body === null) {
      return await this.#writer.write({ type: FRAME_TYPE.answer, id, head });
    }
    let type: number = FRAME_TYPE.answer;
    let held: Uint8Array | undefined;
    const write = async (hasMore: boolean) => {
      const first = type === FRAME_TYPE.answer ? { head } : {};
      const piece = held === undefined ? {} : { body: held };
      await this.#writer.write({ type, id, hasMore, ...piece, ...first });
      type = FRAME_TYPE.more;
    };
    try {
      for await (const piece of piecesOf(body)) {
        signal.throwIfAborted();
        if (held !== undefined) await write(true);
        held = piece;
      }
    } catch {
      return await this.#writer.write({ type: FRAME_TYPE.stop, id });
    }
    await write(false);
  }
}

/** The request in a frame, or undefined if it is none. */
function requestOf(frame: Frame, signal: AbortSignal): Request | undefined {
  const { method, path, headers } = headOf(frame) ?? {};
  if (typeof method !== "string" || !METHOD.test(method)) return undefined;
  if (typeof path !== "string" || !PATH.test(path)) return undefined;
  if (path.split(/[/?]/).some((part) => part === "." || part === "..")) {
    return undefined;
  }
  const { body } = frame;
  const hasBody = method === "PUT" || method === "POST";
  try {
    const sent = new Headers(headers as Record<string, string> | undefined);
    sent.set("content-length", `${hasBody ? body.length : 0}`);
    return new Request(new URL(`http://pipe/${path}`), {
      method,
      headers: sent,
      signal,
      body: hasBody ? body as Uint8Array<ArrayBuffer> : null,
    });
  } catch {
    return undefined;
  }
}

async function* piecesOf(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; at += PIECE_SIZE) {
      yield chunk.subarray(at, at + PIECE_SIZE);
    }
  }
}
