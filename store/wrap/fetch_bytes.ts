/**
 * The one way to a server: a request with a deadline, an answer with a limit.
 *
 * @module
 */
import { cannot } from "../cannot.ts";
import type { StoreAction } from "../errors.ts";
import { withDeadline } from "./deadline.ts";
import { textOf } from "./failure_facts.ts";
import { RemoteError } from "./remote_error.ts";
import { systemTiming, type Timing } from "./timing.ts";

/** Longest silence of the other side, in milliseconds. */
export const STALL_MS = 30_000;
/** The slowest way up that is borne, in bytes a second. */
export const RATE_MIN: number = 16 * 1024;
/** Most bytes that are read of an answer that is an error. */
export const ERROR_SIZE_MAX: number = 64 * 1024;

/** Most bytes that are made room for because an answer says that so many come. */
const WHOLE_SIZE_MAX = 16 * 1024 * 1024;
const EMPTY = new Uint8Array(0);

/** A request. */
export interface BytesRequest {
  /** The action, for errors. */
  readonly action: StoreAction;
  /** Subject of the action, for errors: a name in the store, or the store. */
  readonly subject: string;
  /** The verb. */
  readonly method: string;
  /** The address. */
  readonly url: string | URL;
  /** The headers. */
  readonly headers?: Headers;
  /** The body: bytes only, as a text would bring a content type that nobody signed. */
  readonly body?: Uint8Array | undefined;
  /** Most bytes of an answer of this status. Those of errors are never more than {@link ERROR_SIZE_MAX}. */
  readonly sizeMax: number;
  /** Ends the request. */
  readonly signal?: AbortSignal | undefined;
  /** How long nothing may come, in milliseconds. Default: {@link STALL_MS}. */
  readonly stallMs?: number;
  /** The clock. Default: that of the system. */
  readonly timing?: Timing;
  /** Does it. Default: the `fetch` of the runtime. */
  readonly fetch?: typeof fetch;
}

/** An answer, read to its end. */
export interface BytesAnswer {
  /** The status. */
  readonly status: number;
  /** The headers. */
  readonly headers: Headers;
  /** The body, or as much of it as was wanted. */
  readonly bytes: Uint8Array;
  /** Whether there was more. */
  readonly isCut: boolean;
}

/**
 * Sends a request and reads the answer, of any status. Redirects are not
 * followed: what signs a request signs its host.
 *
 * @returns The answer.
 * @throws {RemoteError} If there is no answer, or it ends before its end.
 */
export async function fetchBytes(request: BytesRequest): Promise<BytesAnswer> {
  const { action, subject, signal, stallMs = STALL_MS } = request;
  const { timing = systemTiming, body, sizeMax } = request;
  const makeError = () =>
    new RemoteError(
      `${cannot(action, subject)}: the server has stopped answering`,
      { code: "ETIMEDOUT", action, storeName: subject, ...PASSES },
    );
  // How far a body has gone up cannot be seen.
  const ms = stallMs + (body?.length ?? 0) / RATE_MIN * 1000;
  return await withDeadline(
    { ms, makeError, signal, timing },
    async (signal, progress) => {
      let response: Response | undefined;
      try {
        response = await (request.fetch ?? fetch)(request.url, {
          method: request.method,
          headers: withIdentity(request.headers),
          redirect: "manual",
          signal,
          ...(body && { body: body as Uint8Array<ArrayBuffer> }),
        });
        progress(stallMs);
        const { status, headers } = response;
        const most = status >= 300 ? ERROR_SIZE_MAX : sizeMax;
        const read = await readBody(response, most, progress);
        if (request.method !== "HEAD") checkWhole(request, headers, read);
        return { status, headers, ...read };
      } catch (error) {
        if (signal.aborted || error instanceof RemoteError) throw error;
        throw networkError(request, error, response !== undefined);
      }
    },
  );
}

const PASSES = { isTransient: true, mayHaveHappened: true } as const;

/** A body that is compressed on the way has another length than the file in the store. */
function withIdentity(headers: Headers | undefined): Headers {
  const all = new Headers(headers);
  all.set("accept-encoding", "identity");
  return all;
}

async function readBody(
  response: Response,
  sizeMax: number,
  progress: () => void,
): Promise<{ bytes: Uint8Array; isCut: boolean }> {
  if (response.body === null) return { bytes: EMPTY, isCut: false };
  const length = Number(response.headers.get("content-length") ?? NaN);
  const size = Math.min(length, sizeMax);
  const whole = size <= WHOLE_SIZE_MAX
    ? await readWhole(response.body, { size, isCut: length > size }, progress)
    : undefined;
  return whole ?? await readPieces(response.body, sizeMax, progress);
}

/**
 * Reads a body whose size is known straight into its place: pieces cost as much
 * again to join, and more to collect as garbage.
 *
 * @returns Undefined if the body cannot be read so.
 */
async function readWhole(
  body: ReadableStream<Uint8Array>,
  { size, isCut }: { readonly size: number; readonly isCut: boolean },
  progress: () => void,
): Promise<{ bytes: Uint8Array; isCut: boolean } | undefined> {
  const reader = byobReader(body);
  if (reader === undefined) return undefined;
  let bytes = new Uint8Array(size);
  try {
    for (let at = 0; at < size;) {
      const { done, value } = await reader.read(bytes.subarray(at));
      if (value === undefined) return { bytes: EMPTY, isCut: false };
      // The memory is handed over, and comes back as another object.
      bytes = new Uint8Array(value.buffer);
      if (done) return { bytes: bytes.subarray(0, at), isCut: false };
      progress();
      at += value.length;
    }
    if (isCut) return { bytes, isCut };
    const { done } = await reader.read(new Uint8Array(1));
    return { bytes, isCut: !done };
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** A reader that fills what it is given; a stream that was made of pieces has none. */
function byobReader(
  body: ReadableStream<Uint8Array>,
): ReadableStreamBYOBReader | undefined {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}

async function readPieces(
  body: ReadableStream<Uint8Array>,
  sizeMax: number,
  progress: () => void,
): Promise<{ bytes: Uint8Array; isCut: boolean }> {
  const pieces: Uint8Array[] = [];
  const reader = body.getReader();
  let size = 0;
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) return { bytes: joined(pieces, size), isCut: false };
      progress();
      const room = sizeMax - size;
      pieces.push(value.length > room ? value.subarray(0, room) : value);
      size += Math.min(room, value.length);
      if (value.length > room) {
        return { bytes: joined(pieces, size), isCut: true };
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function joined(pieces: readonly Uint8Array[], size: number): Uint8Array {
  if (pieces.length === 1 && pieces[0].buffer.byteLength === size) {
    return pieces[0];
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** Not every runtime notices a body that ends before its length. */
function checkWhole(
  { action, subject }: BytesRequest,
  headers: Headers,
  { bytes, isCut }: { bytes: Uint8Array; isCut: boolean },
): void {
  const length = headers.get("content-length");
  if (isCut || length === null || headers.has("content-encoding")) return;
  if (Number(length) === bytes.length) return;
  throw new RemoteError(
    `${
      cannot(action, subject)
    }: the answer has ${bytes.length} of ${length} bytes`,
    { code: "ECONNRESET", action, storeName: subject, ...PASSES },
  );
}

/** Faults of a network, as each runtime says them, and whether they pass. */
const NETWORK_REASONS: readonly [RegExp, string, string, boolean][] = [
  [/refused/i, "ECONNREFUSED", "the connection is refused", true],
  [
    /dns error|ENOTFOUND|EAI_AGAIN|getaddrinfo/i,
    "ENOTFOUND",
    "the host cannot be found",
    true,
  ],
  [
    /certificate|self.signed|UnknownIssuer|CERT_/i,
    "ECERT",
    "the certificate of the server does not fit",
    false,
  ],
  [
    /bad port|Requests to port \d+ are blocked/i,
    "EINVAL",
    "the runtime allows no requests to this port",
    false,
  ],
  [
    /NotCapable|Requires net access/i,
    "EACCES",
    "the network is not allowed",
    false,
  ],
];

function networkError(
  request: BytesRequest,
  cause: unknown,
  isAnswered: boolean,
): unknown {
  const text = textOf(cause);
  const { action, subject } = request;
  const known = NETWORK_REASONS.find(([pattern]) => pattern.test(text));
  if (known !== undefined && !isAnswered) {
    const [, code, reason, isTransient] = known;
    return new RemoteError(
      `${cannot(action, subject)}: ${reason} (${new URL(request.url).host})`,
      { code, action, storeName: subject, isTransient, cause },
    );
  }
  return new RemoteError(
    `${cannot(action, subject)}: the connection has ended too early`,
    { code: "ECONNRESET", action, storeName: subject, ...PASSES, cause },
  );
}
