import { createHash } from "node:crypto";
import { AwsV4Signer } from "aws4fetch";
import type { StoreAction } from "../errors.ts";
import { type BytesAnswer, fetchBytes } from "../wrap/fetch_bytes.ts";
import type { Limiter } from "../wrap/limiter.ts";
import type { Meter } from "../wrap/meter.ts";
import type { RemoteError } from "../wrap/remote_error.ts";
import { retry, type RetryOptions, TRIES_MAX } from "../wrap/retry.ts";
import type { Timing } from "../wrap/timing.ts";
import { answerError } from "./answer_error.ts";
import type { Keys } from "./credentials.ts";
import type { S3Location } from "./location.ts";

/** Most bytes of a list or another answer in XML. */
const XML_SIZE_MAX = 16 * 1024 * 1024;
/** Tries before a server has ever answered: an address that is wrong is told soon. */
const FIRST_TRIES_MAX = 3;
const REGION = /^[a-z0-9-]{1,64}$/;

export interface S3Request {
  readonly action: StoreAction;
  /** Subject of the request, for errors. */
  readonly subject: string;
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** The name in the store; the bucket itself if there is none. */
  readonly name?: string | undefined;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** The body, or what loads it when the turn of the request has come. */
  readonly body?: Uint8Array | (() => Promise<Uint8Array>);
  /** Size of the body in bytes, where it is loaded. */
  readonly bodySize?: number;
  /** Bytes of content that are wanted. Without, the answer is short, and XML. */
  readonly wanted?: number | "all";
  /** Bytes of an answer after which it is cut, where all is wanted. */
  readonly sizeMax?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Parts of {@link S3Client}. */
export interface S3ClientParts {
  readonly location: S3Location;
  readonly keys: Keys | undefined;
  readonly limiter: Limiter;
  readonly meter: Meter;
  readonly retry: RetryOptions;
  readonly timing: Timing;
  readonly stallMs: number;
  readonly fetch: typeof fetch;
}

/** Signs requests, sends them, and makes errors of answers that are some. */
export class S3Client {
  readonly location: S3Location;
  readonly #parts: S3ClientParts;
  readonly #signingKeys = new Map<string, ArrayBuffer>();
  #region: string;
  /** Lead of the clock of the server, in milliseconds. */
  #skewMs = 0;
  #isReached = false;

  constructor(parts: S3ClientParts) {
    this.#parts = parts;
    this.location = parts.location;
    this.#region = parts.location.region;
  }

  /** How to repeat a request. */
  retryOptions(): RetryOptions {
    const { retry, meter, timing } = this.#parts;
    const triesMax = () => {
      const most = retry.triesMax ?? TRIES_MAX;
      return this.#isReached ? most : Math.min(most, FIRST_TRIES_MAX);
    };
    return {
      ...retry,
      get triesMax() {
        return triesMax();
      },
      timing,
      onRetry: (error, pauseMs) => {
        meter.retries++;
        retry.onRetry?.(error, pauseMs);
      },
    };
  }

  /** Sends a request, again where that helps. */
  async send(request: S3Request): Promise<BytesAnswer> {
    const once = () => this.sendOnce(request);
    return await retry(once, this.retryOptions(), request.signal);
  }

  /**
   * Sends a request once.
   *
   * @throws {RemoteError} If the answer is none of success.
   */
  async sendOnce(request: S3Request): Promise<BytesAnswer> {
    const { limiter, meter } = this.#parts;
    const { action, signal, wanted } = request;
    const size = sizeOf(request);
    const bytes = size + (typeof wanted === "number" ? wanted : 0);
    return await limiter.run({ bytes, signal }, async (tell) => {
      return await meter.run(action, async () => {
        const answer = await this.#exchange(request);
        meter.bytesOut += size;
        if (wanted !== undefined) meter.bytesIn += answer.bytes.length;
        if (wanted === "all") tell(answer.bytes.length);
        return answer;
      });
    });
  }

  /** Sends a request, and once more for each thing that the answer corrects. */
  async #exchange(request: S3Request): Promise<BytesAnswer> {
    const { timing, meter } = this.#parts;
    const { body: given } = request;
    const body = typeof given === "function" ? await given() : given;
    const corrected = new Set<string>();
    while (true) {
      const answer = await this.#fetch(request, body);
      this.#isReached = true;
      if (answer.status < 300) return answer;
      const error = answerError(request, answer, timing.date());
      if (error.isThrottled) meter.throttled++;
      if (corrected.has(error.code) || !this.#correct(error, answer)) {
        throw error;
      }
      corrected.add(error.code);
    }
  }

  async #fetch(
    request: S3Request,
    body: Uint8Array | undefined,
  ): Promise<BytesAnswer> {
    const { timing, stallMs } = this.#parts;
    const { action, subject, method, signal, wanted } = request;
    const { url, headers } = await this.#sign(request, body);
    const { sizeMax = Infinity } = request;
    return await fetchBytes({
      action,
      subject,
      method,
      url,
      headers,
      body,
      sizeMax: wanted === "all" ? sizeMax : wanted ?? XML_SIZE_MAX,
      signal,
      stallMs,
      timing,
      fetch: this.#parts.fetch,
    });
  }

  async #sign(
    request: S3Request,
    body: Uint8Array | undefined,
  ): Promise<{ url: URL; headers: Headers }> {
    const { location, keys, timing } = this.#parts;
    const url = new URL(location.base);
    if (request.name === undefined) {
      // A bucket is asked without the slash; a host is not.
      if (url.pathname !== "/") url.pathname = url.pathname.replace(/\/$/, "");
    } else url.pathname += encodeKey(location.prefix + request.name);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      url.searchParams.set(name, value);
    }
    // URLSearchParams writes a space as +, which a signature does not.
    url.search = url.search.replaceAll("+", "%20");
    const headers = new Headers(request.headers);
    if (body !== undefined) {
      // Signed along: what changes on the way is refused by the server.
      const md5 = createHash("md5").update(body).digest("base64");
      headers.set("content-md5", md5);
    }
    if (keys === undefined) return { url, headers };
    const { accessKeyId, secretAccessKey, sessionToken } = await keys.get();
    return await new AwsV4Signer({
      method: request.method,
      url: url.href,
      headers,
      accessKeyId,
      secretAccessKey,
      ...(sessionToken !== undefined && { sessionToken }),
      service: "s3",
      region: this.#region,
      cache: this.#signingKeys,
      datetime: signingTime(timing.date() + this.#skewMs),
    }).sign();
  }

  /** Learns from an answer what made it refuse, if it says so. */
  #correct(error: RemoteError, { headers }: BytesAnswer): boolean {
    const { keys, timing } = this.#parts;
    if (error.code === "RequestTimeTooSkewed") {
      const date = Date.parse(headers.get("date") ?? "");
      if (Number.isNaN(date)) return false;
      this.#skewMs = date - timing.date();
      return true;
    }
    if (error.code === "ExpiredToken" && keys !== undefined) {
      keys.forget();
      return true;
    }
    const region = headers.get("x-amz-bucket-region");
    const isElsewhere = error.status === 301 || error.status === 400;
    if (!isElsewhere || region === null || !REGION.test(region)) return false;
    if (region === this.#region) return false;
    this.#region = region;
    const { base } = this.location;
    if (base.hostname.endsWith(".amazonaws.com")) {
      base.hostname = base.hostname.replace(
        /s3\.[a-z0-9-]+\.amazonaws/,
        `s3.${region}.amazonaws`,
      );
    }
    return true;
  }
}

function sizeOf({ body, bodySize }: S3Request): number {
  return bodySize ?? (body as Uint8Array | undefined)?.length ?? 0;
}

/** A key as a path: everything but letters, digits, `-._~` and `/` escaped, as it is signed. */
function encodeKey(key: string): string {
  return encodeURIComponent(key).replaceAll("%2F", "/").replace(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function signingTime(date: number): string {
  return new Date(date).toISOString().replace(/[:-]|\.\d{3}/g, "");
}
