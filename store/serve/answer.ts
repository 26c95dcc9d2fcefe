import { NotFoundError } from "../errors.ts";
import { codeOf } from "../file/file_calls.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION } from "./protocol.ts";

/** Answer of a verb, before it becomes a response. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | ReadableStream<Uint8Array> | undefined;
  /** Error for the log. */
  readonly error?: unknown;
}

/** Caches and proxies neither keep nor change an answer to a verb. */
const VERB_CACHE = "no-store, no-transform";

/** Thrown where a request cannot be done: becomes an answer. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(`Cannot answer: ${status} ${code}`);
    this.name = "Refusal";
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** An answer that is a JSON object. */
export function jsonAnswer(
  status: number,
  value: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const body = new TextEncoder().encode(JSON.stringify(value));
  return {
    status,
    headers: { ...headers, "content-type": "application/json" },
    body,
  };
}

/**
 * The answer to what a verb throws. Of an error of the store or of the system
 * only its code goes out: its message may name paths of the server.
 */
export function failureAnswer(error: unknown): Answer {
  if (error instanceof Refusal) {
    const { status, code, headers } = error;
    return { ...jsonAnswer(status, { code }, headers), error };
  }
  if (error instanceof NotFoundError) {
    return jsonAnswer(404, { code: "ABSENT" });
  }
  if (error instanceof RangeError) {
    return { ...jsonAnswer(400, { code: "EINVAL" }), error };
  }
  const code = codeOf(error) ?? "EREMOTEIO";
  const full = code === "ENOSPC" || code === "EDQUOT";
  return { ...jsonAnswer(full ? 507 : 500, { code }), error };
}

/** The response of an answer, with what every one of ours says. */
export function responseOf(answer: Answer, isHead: boolean): Response {
  const { status, body } = answer;
  const headers = new Headers({
    "cache-control": VERB_CACHE,
    "x-content-type-options": "nosniff",
    [PROTOCOL_HEADER]: PROTOCOL_VERSION,
    ...answer.headers,
  });
  const isEmpty = status === 204 || status === 304;
  if (!isEmpty && !(body instanceof ReadableStream)) {
    if (!isHead) headers.set("content-length", `${body?.length ?? 0}`);
  }
  const sent = isEmpty || isHead ? null : (body ?? null) as BodyInit | null;
  return new Response(sent, { status, headers });
}
