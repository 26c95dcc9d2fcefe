/** Requests and answers in frames on a pipe, in the shape of `fetch`. */
import {
  encodeHead,
  type Frame,
  FRAME_TYPE,
  FrameReader,
  FrameWriter,
  headOf,
  type Pipe,
} from "../serve/frames.ts";
import type { Fetch } from "./sender.ts";

const ID_MAX = 0xffff_ffff;

/** A request that waits for its answer, or for more of it. */
interface Waiting {
  readonly begin: (response: Response) => void;
  readonly fail: (error: unknown) => void;
  body?: ReadableStreamDefaultController<Uint8Array>;
}

/** The near end of a pipe to a server. */
export class PipeClient {
  readonly #reader: FrameReader;
  readonly #writer: FrameWriter;
  readonly #waiting = new Map<number, Waiting>();
  #ended: { readonly error: unknown } | undefined;
  #lastId = 0;
  #reading: Promise<void> = Promise.resolve();

  constructor(pipe: Pipe, bodySizeMax: number) {
    this.#reader = new FrameReader(pipe.readable, bodySizeMax);
    this.#writer = new FrameWriter(pipe.writable);
  }

  /** Whether no request can be made any more. */
  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** Sends a request: what `fetch` does, but its URL is `http://pipe/`. */
  readonly fetch: Fetch = async (url, init) => {
    if (this.#ended !== undefined) throw this.#ended.error;
    const { signal } = init;
    signal?.throwIfAborted();
    const id = this.#nextId();
    const { pathname, search } = new URL(url);
    const head = encodeHead({
      method: init.method,
      path: pathname.slice(1) + search,
      headers: init.headers,
    });
    const outcome = Promise.withResolvers<Response>();
    const stop = () => this.#giveUp(id, signal?.reason);
    this.#waiting.set(id, { begin: outcome.resolve, fail: outcome.reject });
    signal?.addEventListener("abort", stop, { once: true });
    const body = init.body as Uint8Array | undefined;
    this.#writer.write({
      type: FRAME_TYPE.request,
      id,
      head,
      ...(body === undefined ? {} : { body }),
    }).catch((error) => this.#end(error));
    return await outcome.promise;
  };

  /** Waits for what the other side begins with, then reads what it sends. */
  async begin(signal: AbortSignal): Promise<void> {
    const stop = () => void this.#reader.cancel(signal.reason).catch(() => {});
    signal.addEventListener("abort", stop, { once: true });
    // Neither is waited for: a side that takes nothing would hold both.
    this.#writer.begin().catch(() => {});
    try {
      await this.#reader.begin();
    } catch (error) {
      this.#reader.cancel(error).catch(() => {});
      this.#writer.abort(error).catch(() => {});
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
    this.#reading = this.#readAll();
  }

  /** Ends the pipe, once what was sent is out, and waits for the other side to end. */
  async close(timeoutMs: number): Promise<void> {
    const timer = setTimeout(() => {
      this.#reader.cancel().catch(() => {});
      this.#writer.abort(undefined).catch(() => {});
    }, timeoutMs);
    this.#writer.close().catch(() => {});
    await this.#reading;
    clearTimeout(timer);
  }

  async #readAll(): Promise<void> {
    try {
      for (;;) {
        const frame = await this.#reader.read();
        if (frame === undefined) break;
        this.#take(frame);
      }
      this.#end(new Error("The other side of the pipe ended: ECONNRESET"));
    } catch (error) {
      this.#end(error);
      await this.#reader.cancel(error).catch(() => {});
    }
  }

  #take(frame: Frame): void {
    const { id, type } = frame;
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return; // It was given up.
    if (type === FRAME_TYPE.stop) {
      this.#forget(id, new Error("The answer ended: unexpected EOF"));
    } else if (type === FRAME_TYPE.answer) {
      const body = this.#bodyOf(id, frame, waiting);
      waiting.begin(responseOf(frame, body));
    } else if (frame.body.length > 0) {
      waiting.body?.enqueue(frame.body);
    }
    if (frame.hasMore || type === FRAME_TYPE.stop) return;
    waiting.body?.close();
    this.#waiting.delete(id);
  }

  #bodyOf(
    id: number,
    frame: Frame,
    waiting: Waiting,
  ): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        waiting.body = controller;
        if (frame.body.length > 0) controller.enqueue(frame.body);
      },
      cancel: (reason) => this.#giveUp(id, reason),
    });
  }

  /** Tells the other side that nobody waits for an answer any more. */
  #giveUp(id: number, reason: unknown): void {
    if (!this.#waiting.has(id)) return;
    this.#forget(id, reason);
    this.#writer.write({ type: FRAME_TYPE.stop, id })
      .catch((error) => this.#end(error));
  }

  #forget(id: number, error: unknown): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.fail(error);
    try {
      waiting?.body?.error(error);
    } catch {
      // It was cancelled, which is why it is forgotten.
    }
  }

  #end(error: unknown): void {
    this.#ended ??= { error };
    for (const id of [...this.#waiting.keys()]) this.#forget(id, error);
  }

  /** The next number that nothing waits under. */
  #nextId(): number {
    do {
      this.#lastId = this.#lastId === ID_MAX ? 1 : this.#lastId + 1;
    } while (this.#waiting.has(this.#lastId));
    return this.#lastId;
  }
}

function responseOf(
  frame: Frame,
  body: ReadableStream<Uint8Array>,
): Response {
  const { status, headers } = headOf(frame) ?? {};
  const isStatus = typeof status === "number" && status >= 200 && status < 600;
  if (!isStatus) return new Response(null, { status: 500 });
  const isEmpty = status === 204 || status === 205 || status === 304;
  return new Response(isEmpty ? null : body, {
    status,
    headers: headers as Record<string, string> | undefined ?? {},
  });
}
