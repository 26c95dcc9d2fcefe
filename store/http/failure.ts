/** Failures of the way to a server, and answers that are failures, as errors of a store. */
import { cannot } from "../cannot.ts";
import type { StoreAction } from "../errors.ts";
import { retryAfterOf, textOf } from "../wrap/failure_facts.ts";
import { RemoteError, type RemoteErrorFields } from "../wrap/remote_error.ts";

/** The action that failed. */
export interface Doing {
  readonly action: StoreAction;
  /** The object of the action, for the message. */
  readonly subject: string;
  readonly storeName?: string | undefined;
}

/** Codes after which the same request may well succeed: no connection, half an answer, a busy server. */
const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENETUNREACH",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "TRUNCATED",
  "THROTTLED",
  "BUSY",
  "EREMOTEIO",
  "CONFLICT",
]);

/** Codes of failures before the server can have done anything. */
const UNDONE_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENETUNREACH",
  "EAI_AGAIN",
  "THROTTLED",
]);

/** An error that says what was being done, and whether doing it again helps. */
export function failed(
  { action, subject, storeName }: Doing,
  code: string,
  reason: string,
  known: Pick<
    RemoteErrorFields,
    "cause" | "status" | "reason" | "retryAfterMs"
  > = {},
): RemoteError {
  const isTransient = TRANSIENT_CODES.has(code);
  return new RemoteError(`${cannot(action, subject)}: ${reason}`, {
    ...known,
    code,
    action,
    storeName,
    isTransient,
    isThrottled: code === "THROTTLED" || known.status === 503,
    mayHaveHappened: isTransient && !UNDONE_CODES.has(code),
  });
}

/** Node names what happened; Deno says it in words. */
const CODES: readonly (readonly [string, RegExp])[] = [
  [
    "TLS",
    /invalid peer certificate|\bCERT_|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)|ERR_TLS|ERR_SSL|EPROTO|received corrupt message|HandshakeFailure|fatal alert|unknown issuer/i,
  ],
  ["EACCES", /Requires net access|ERR_ACCESS_DENIED/i],
  ["BADPORT", /requests to port \d+ are blocked|bad port/i],
  ["EAI_AGAIN", /EAI_AGAIN|temporary failure in name resolution|try again/i],
  ["ENOTFOUND", /ENOTFOUND|EAI_NONAME|dns error|failed to lookup address/i],
  ["ECONNREFUSED", /ECONNREFUSED|connection refused/i],
  ["ENETUNREACH", /ENETUNREACH|EHOSTUNREACH|unreachable/i],
  ["ETIMEDOUT", /ETIMEDOUT|UND_ERR_\w*TIMEOUT|timed out/i],
  [
    "TRUNCATED",
    /UND_ERR_RES_CONTENT_LENGTH|reading a body|end of file before|unexpected eof|terminated/i,
  ],
];

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "is not among what this program may reach",
  BADPORT: "has a port that is kept for other services",
  ENOTFOUND: "has no address",
  EAI_AGAIN: "has no address for now",
  ECONNREFUSED: "takes no connection",
  ENETUNREACH: "cannot be reached",
  ETIMEDOUT: "does not answer",
  ECONNRESET: "broke the connection",
  TRUNCATED: "ended the answer before its end",
};

/** The error of a request that got no answer, or not all of it. */
export function connectionFailure(
  doing: Doing,
  host: string,
  cause: unknown,
): RemoteError {
  const text = textOf(cause);
  const code = CODES.find(([, words]) => words.test(text))?.[0] ?? "ECONNRESET";
  const reason = code === "TLS"
    ? `the certificate or the encryption of ${host} does not fit: ${
      detailOf(cause)
    }`
    : `${host} ${REASONS[code]} (${code})`;
  return failed(doing, code, reason, { cause });
}

/** The error of an answer that took too long. */
export function lateFailure(
  doing: Doing,
  host: string,
  ms: number,
): RemoteError {
  return failed(
    doing,
    "ETIMEDOUT",
    `${host} sent nothing for ${ms / 1000} s (ETIMEDOUT)`,
  );
}

/** The error of a status that is none of those that were hoped for. */
export function statusFailure(
  doing: Doing,
  { status, headers }: { readonly status: number; readonly headers: Headers },
  reason: string | undefined,
): RemoteError {
  const code = codeOfStatus(status, reason);
  const words = WORDS[reason ?? ""] ?? WORDS[status] ?? "the server refuses";
  return failed(doing, code, `${words} (${status})`, {
    status,
    reason,
    retryAfterMs: retryAfterOf(headers, Date.now()),
  });
}

const WORDS: Readonly<Record<string, string>> = {
  401: "the server asks for a token that it knows",
  403: "the server does not permit it",
  RIGHTS: "the token has too few rights",
  LOOPBACK: "the server serves its own machine only",
  TOKEN: "the server does not know this token, or asks for one",
  404: "the server has no such path",
  405: "the server takes no files",
  EROFS: "the store of the server takes no files",
  409: "another request is in the way",
  413: "the server, or a proxy before it, takes no body of this size",
  FILESIZE: "the server takes no file of this size",
  429: "the server asks for fewer requests",
  500: "the server failed",
  502: "the proxy does not reach the server",
  503: "the server is busy",
  STOPPING: "the server is about to end",
  504: "the proxy does not reach the server",
  507: "the disk of the server is full",
  EDQUOT: "the quota of the server is used up",
};

function codeOfStatus(status: number, reason: string | undefined): string {
  if (reason === "TOKEN" && status === 429) return "EACCES";
  switch (status) {
    case 401:
    case 403:
    case 407:
      return "EACCES";
    case 405:
    case 501:
      return "EROFS";
    case 408:
    case 425:
    case 502:
    case 503:
    case 504:
      return "BUSY";
    case 409:
      return "CONFLICT";
    case 413:
      return "TOOLARGE";
    case 429:
      return "THROTTLED";
    case 507:
      return reason === "EDQUOT" ? "EDQUOT" : "ENOSPC";
    default:
      if (reason === "TRUNCATED") return "TRUNCATED";
      return status >= 500 ? "EREMOTEIO" : "REFUSED";
  }
}

/** The message of the innermost error. */
function detailOf(error: unknown): string {
  let at = error;
  while (at instanceof Error && at.cause instanceof Error) at = at.cause;
  const message = at instanceof Error ? at.message : String(at);
  if (message.includes("CaUsedAsEndEntity")) {
    return "it is made for an authority, and not for a server";
  }
  return message.replace(/^.*invalid peer certificate: /, "").replace(
    /\.$/,
    "",
  );
}
