import { cannot } from "../cannot.ts";
import type { StoreAction } from "../errors.ts";
import type { BytesAnswer } from "../wrap/fetch_bytes.ts";
import { retryAfterOf } from "../wrap/failure_facts.ts";
import { RemoteError } from "../wrap/remote_error.ts";
import { XmlAnswer } from "./xml.ts";

/** The request of an answer, for an error. */
export interface Asked {
  readonly action: StoreAction;
  readonly subject: string;
}

/** Codes that pass. Whatever has a status of 5xx passes, too, but for those below. */
const TRANSIENT: ReadonlySet<string> = new Set([
  "BadDigest", // Bytes changed on the way.
  "ConditionalRequestConflict",
  "IncompleteBody",
  "InternalError",
  "OperationAborted",
  "RequestTimeout",
]);
const THROTTLED: ReadonlySet<string> = new Set([
  "RequestLimitExceeded",
  "SlowDown",
  "Throttling",
  "ThrottlingException",
  "TooManyRequests",
]);
/** Not implemented, no such version of HTTP, a portal wants a login. */
const PERMANENT_STATUS: ReadonlySet<number> = new Set([501, 505, 511]);

const REASONS: Readonly<Record<string, string>> = {
  AccessDenied: "the keys give no right to it",
  EntityTooLarge: "the server takes no file so large",
  ExpiredToken: "the keys have ended",
  InvalidAccessKeyId: "the access key is not known there",
  InvalidObjectState: "it is archived and must be restored first",
  NoSuchBucket: "the bucket is not there",
  PermanentRedirect: "the bucket is in another region",
  QuotaExceeded: "the quota is used up",
  RequestTimeTooSkewed:
    "the clock of this machine and that of the server differ",
  SignatureDoesNotMatch: "the secret key does not fit",
  SlowDown: "the server asks for fewer requests",
};

export function answerError(
  asked: Asked,
  answer: BytesAnswer,
  date: number,
): RemoteError {
  const { status, headers } = answer;
  const xml = XmlAnswer.parse(answer.bytes);
  const isS3 = xml?.name === "Error";
  const code = (isS3 ? xml.text("Code") : undefined) ?? `HTTP${status}`;
  const isThrottled = status === 429 || THROTTLED.has(code);
  const is5xx = status >= 500 && !PERMANENT_STATUS.has(status);
  const isTransient = isThrottled || is5xx || status === 408 ||
    TRANSIENT.has(code);
  return new RemoteError(
    `${cannot(asked.action, asked.subject)}: ${reasonOf(answer, code, isS3)}`,
    {
      code,
      status,
      action: asked.action,
      storeName: asked.subject,
      isTransient,
      isThrottled,
      mayHaveHappened: status >= 500 || status === 408 || status === 200,
      retryAfterMs: retryAfterOf(headers, date),
    },
  );
}

function reasonOf(answer: BytesAnswer, code: string, isS3: boolean): string {
  const { status, headers } = answer;
  const reason = REASONS[code];
  if (reason !== undefined) return `${reason} (${status} ${code})`;
  if (isS3) return `${status} ${code}`;
  const target = headers.get("location");
  if (status >= 300 && status < 400 && target !== null) {
    return `the server sends elsewhere, to ${hostOf(target)} (${status})`;
  }
  const type = headers.get("content-type") ?? "";
  return type.includes("html")
    ? `a web page has answered in place of the store (${status})`
    : `the server has answered ${status}`;
}

function hostOf(target: string): string {
  return URL.canParse(target) ? new URL(target).host : "another path";
}

/** The error of an answer that S3 does not give. */
export function strangeError(
  asked: Asked,
  status: number,
  reason: string,
): RemoteError {
  return new RemoteError(
    `${cannot(asked.action, asked.subject)}: ${reason}`,
    {
      code: "EPROTO",
      status,
      action: asked.action,
      storeName: asked.subject,
      mayHaveHappened: true,
    },
  );
}

/**
 * Takes the XML of an answer that says it went well; it may hold an error all the
 * same, where the server began to answer before it was done.
 */
export function xmlOf(
  asked: Asked,
  answer: BytesAnswer,
  root: string,
): XmlAnswer {
  const xml = XmlAnswer.parse(answer.bytes);
  // A few servers name it after the call, not after its result.
  if (xml?.name.replace(/Response$/, "Result") === root) return xml;
  if (xml?.name === "Error") throw answerError(asked, answer, Infinity);
  const reason = `the answer must be ${root}: found ${xml?.name ?? "no XML"}`;
  throw strangeError(asked, answer.status, reason);
}
