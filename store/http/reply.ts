/** An answer on its way: every wait for a part of it ends some time. */
import type { RemoteError } from "../wrap/remote_error.ts";
import { joinChunks } from "../serve/body.ts";
import { PROTOCOL_HEADER } from "../serve/protocol.ts";
import {
  connectionFailure,
  type Doing,
  failed,
  lateFailure,
  statusFailure,
} from "./failure.ts";

const JSON_SIZE_MAX = 64 * 1024;

/** Aborts a request when nothing came for too long, or the caller gives up. */
export class Watch implements Disposable {
  readonly #stop = new AbortController();
  readonly #ms: number;
  readonly #outer: AbortSignal | undefined;
  readonly #onAbort = () => this.#stop.abort(this.#outer?.reason);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLate = false;

  constructor(ms: number, outer: AbortSignal | undefined) {
    this.#ms = ms;
    this.#outer = outer;
    outer?.addEventListener("abort", this.#onAbort, { once: true });
    if (outer?.aborted) this.#onAbort();
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Something came, or is about to: the wait begins anew. */
  moved(extraMs = 0): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#isLate = true;
      this.#stop.abort(new Error("Nothing came for too long"));
    }, this.#ms + extraMs);
  }

  /** Nothing is waited for just now: what takes time is not the other side. */
  rest(): void {
    clearTimeout(this.#timer);
  }

  /** The error of the store for an error of the connection. */
  explain(doing: Doing, host: string, cause: unknown): unknown {
    if (this.#outer?.aborted) return this.#outer.reason;
    return this.#isLate
      ? lateFailure(doing, host, this.#ms)
      : connectionFailure(doing, host, cause);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#onAbort);
  }
}

/** An answer. Its body has to be read or discarded. */
export class Reply {
  readonly doing: Doing;
  readonly #response: Response;
  readonly #watch: Watch;
  readonly #host: string;
  readonly #onBytes: (count: number) => void;
  readonly #end = Promise.withResolvers<void>();

  constructor(
    response: Response,
    parts: {
      doing: Doing;
      watch: Watch;
      host: string;
      onBytes: (count: number) => void;
    },
  ) {
    this.doing = parts.doing;
    this.#response = response;
    this.#watch = parts.watch;
    this.#host = parts.host;
    this.#onBytes = parts.onBytes;
    parts.watch.rest();
  }

  get status(): number {
    return this.#response.status;
  }

  get headers(): Headers {
    return this.#response.headers;
  }

  /** Whether a server of ours gave it, and not a proxy, a portal or another server. */
  get isOurs(): boolean {
    return this.headers.has(PROTOCOL_HEADER);
  }

  /** Resolves when the body was read or discarded. */
  get ended(): Promise<void> {
    return this.#end.promise;
  }

  /** The size of the body by its header. */
  get contentLength(): number | undefined {
    const digits = this.headers.get("content-length");
    return digits === null ? undefined : Number(digits);
  }

  /** The body as it comes. Whoever stops early ends the transfer. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    const reader = this.#response.body?.getReader();
    let isDone = reader === undefined;
    // A body that is not tied to the signal ends by this.
    const stop = () => void reader?.cancel().catch(() => {});
    this.#watch.signal.addEventListener("abort", stop, { once: true });
    try {
      while (reader !== undefined) {
        this.#watch.moved();
        const { done, value } = await this.#read(reader);
        this.#watch.rest();
        isDone = done;
        const { signal } = this.#watch;
        if (signal.aborted) {
          throw this.#watch.explain(this.doing, this.#host, signal.reason);
        }
        if (done) return;
        this.#onBytes(value.length);
        yield value;
      }
    } finally {
      this.#end.resolve();
      this.#watch[Symbol.dispose]();
      this.#watch.signal.removeEventListener("abort", stop);
      if (!isDone) await reader?.cancel().catch(() => {});
    }
  }

  async #read(
    reader: ReadableStreamDefaultReader<Uint8Array>,
  ): Promise<ReadableStreamReadResult<Uint8Array>> {
    try {
      return await reader.read();
    } catch (cause) {
      throw this.#watch.explain(this.doing, this.#host, cause);
    }
  }

  /** All of a body that is small. */
  async bytes(sizeMax: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.chunks()) {
      size += chunk.length;
      if (size > sizeMax) {
        throw failed(
          this.doing,
          "PROTOCOL",
          `the answer must have at most ${sizeMax} bytes`,
        );
      }
      chunks.push(chunk);
    }
    return joinChunks(chunks, size);
  }

  /** The JSON object that a server of ours sends. */
  async json(): Promise<Readonly<Record<string, unknown>>> {
    const bytes = await this.bytes(JSON_SIZE_MAX);
    try {
      const value = JSON.parse(new TextDecoder().decode(bytes));
      if (typeof value === "object" && value !== null) return value;
    } catch {
      // Said below.
    }
    throw failed(this.doing, "PROTOCOL", "the answer must be a JSON object");
  }

  /** Gives up a body that nobody needs. */
  async discard(): Promise<void> {
    this.#end.resolve();
    this.#watch[Symbol.dispose]();
    await this.#response.body?.cancel().catch(() => {});
  }

  /** The error that this answer is. */
  async failure(): Promise<RemoteError> {
    let reason: unknown;
    if (this.isOurs) ({ code: reason } = await this.json());
    else await this.discard();
    const word = typeof reason === "string" && /^[A-Z]{1,20}$/.test(reason)
      ? reason
      : undefined;
    return statusFailure(this.doing, this.#response, word);
  }
}
