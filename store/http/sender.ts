/** Sends requests below one URL. */
import type { Limiter } from "../wrap/limiter.ts";
import type { Meter } from "../wrap/meter.ts";
import { type Doing, failed, statusFailure } from "./failure.ts";
import { RemoteError } from "../wrap/remote_error.ts";
import { Reply, Watch } from "./reply.ts";

/** A function that sends a request: the part of `fetch` that is needed. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A request. */
export interface Call extends Doing {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** The path below the URL. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Bytes that are expected to come, where that is known. */
  readonly wanted?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Parts of a {@link Sender}. */
export interface SenderParts {
  readonly fetch: Fetch;
  /** Ends in a slash. */
  readonly base: string;
  /** Name of the host in messages. Default: that of the base. */
  readonly host?: string;
  /** The header that lets the caller in. It never leaves the origin of the base. */
  readonly authorization?: string | undefined;
  readonly timeoutMs: number;
  /** Limits requests and bytes. */
  readonly limiter: Limiter;
  /** Counts requests and bytes. */
  readonly meter: Meter;
}

const REDIRECTS_MAX = 5;
/** A body may take a millisecond for so many bytes. */
const UPLOAD_BYTES_EACH_MS = 32;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Sends requests, and follows redirects where that is safe. */
export class Sender {
  readonly #parts: SenderParts;
  readonly #origin: string;
  /** The host, for messages. */
  readonly host: string;

  constructor(parts: SenderParts) {
    this.#parts = parts;
    const { origin, host } = new URL(parts.base);
    this.#origin = origin;
    this.host = parts.host ?? host;
  }

  /** Counters of requests and bytes. */
  get meter(): Meter {
    return this.#parts.meter;
  }

  /**
   * Sends a request when its turn comes, and waits for the beginning of its answer.
   * What is read keeps its turn up to its last byte; the answers of verbs are small,
   * or lists, while which other requests go on.
   */
  async send(call: Call): Promise<Reply> {
    const { limiter, meter } = this.#parts;
    const { body, wanted = 0, signal } = call;
    const size = body?.length ?? 0;
    const begun = Promise.withResolvers<Reply>();
    limiter.run({ bytes: size + wanted, signal }, async (tell) => {
      await meter.run(call.action, async () => {
        let expected = wanted;
        const reply = await this.#send(call, (count) => {
          meter.bytesIn += count;
          if (count > expected) tell(count - expected);
          expected = Math.max(0, expected - count);
        });
        meter.bytesOut += size;
        begun.resolve(reply);
        if (call.method === "GET") await reply.ended;
        if (reply.status !== 429 && reply.status !== 503) return;
        // Whoever reads the answer throws it; the limit has to hear of it, too.
        meter.throttled++;
        throw statusFailure(call, reply, undefined);
      });
    }).catch(begun.reject);
    return await begun.promise;
  }

  async #send(call: Call, onBytes: (count: number) => void): Promise<Reply> {
    call.signal?.throwIfAborted();
    const watch = new Watch(this.#parts.timeoutMs, call.signal);
    const { host } = this;
    try {
      watch.moved((call.body?.length ?? 0) / UPLOAD_BYTES_EACH_MS);
      const response = await this.#follow(call, watch);
      this.#checkEncoding(call, response);
      return new Reply(response, { doing: call, watch, host, onBytes });
    } catch (error) {
      watch[Symbol.dispose]();
      throw error;
    }
  }

  async #follow(call: Call, watch: Watch): Promise<Response> {
    let url = this.#parts.base + call.path;
    let isAtHome = true;
    for (let hops = 0;; hops++) {
      const response = await this.#fetch(url, call, { watch, isAtHome });
      if (!REDIRECTS.has(response.status)) return response;
      await response.body?.cancel().catch(() => {});
      const target = targetOf(response, url);
      const to = target === undefined ? "nowhere" : target.origin;
      const isSafe = target !== undefined &&
        /^https?:$/.test(target.protocol) &&
        !(url.startsWith("https:") && target.protocol === "http:");
      if (call.method !== "GET" || !isSafe || hops === REDIRECTS_MAX) {
        throw failed(
          call,
          "REDIRECT",
          `${this.host} sends it on to ${to} (${response.status}), which is not followed`,
        );
      }
      url = target.href;
      isAtHome &&= target.origin === this.#origin;
    }
  }

  async #fetch(
    url: string,
    call: Call,
    { watch, isAtHome }: { watch: Watch; isAtHome: boolean },
  ): Promise<Response> {
    const { fetch, authorization } = this.#parts;
    const headers: Record<string, string> = {
      ...call.headers,
      "accept-encoding": "identity",
    };
    if (isAtHome && authorization !== undefined) {
      headers.authorization = authorization;
    }
    const init: RequestInit = {
      method: call.method,
      headers,
      redirect: "manual",
      signal: watch.signal,
    };
    if (call.body !== undefined) {
      init.body = call.body as Uint8Array<ArrayBuffer>;
    }
    try {
      return await fetch(url, init);
    } catch (cause) {
      if (cause instanceof RemoteError) throw cause;
      const host = isAtHome ? this.host : new URL(url).host;
      throw watch.explain(call, host, cause);
    }
  }

  /** Refuses bytes that were changed on their way: no range of them means anything. */
  #checkEncoding(call: Call, response: Response): void {
    const encoding = response.headers.get("content-encoding");
    if (encoding === null || encoding === "identity") return;
    response.body?.cancel().catch(() => {});
    throw failed(
      call,
      "PROTOCOL",
      `${this.host}, or a proxy before it, sends the answer as ${encoding}`,
    );
  }
}

function targetOf(response: Response, url: string): URL | undefined {
  const location = response.headers.get("location");
  try {
    return location === null ? undefined : new URL(location, url);
  } catch {
    return undefined;
  }
}
