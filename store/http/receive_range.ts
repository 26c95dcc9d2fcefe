/** Taking a range out of an answer, whatever part of the file the server sent. */
import { largeError, shortError } from "../range.ts";
import { failed } from "./failure.ts";
import type { Reply } from "./reply.ts";

/** The range that was asked for. */
export interface Wanted {
  readonly offset: number;
  /** All up to the end if it is left out. */
  readonly length?: number | undefined;
  /** How many bytes there may be up to the end. */
  readonly sizeMax?: number | undefined;
}

/** The bytes that came. */
export interface Received {
  readonly bytes: Uint8Array;
  /** Size of the whole file, where the server said it. */
  readonly size: number | undefined;
}

/** Looks at the first bytes of a file, when an answer has them. */
export type LookAtHead = (head: Uint8Array) => void;

/** How many bytes before a range are passed over where a server sends the whole file. */
const PASSED_OVER_MAX = 1024 * 1024;
/** Largest file that is read without saying how much of it. */
const WHOLE_SIZE_MAX = 2 ** 31;
/** How many bytes {@link LookAtHead} gets. */
const HEAD_SIZE = 4;

/** The `Range` header that asks for it; undefined where all is wanted. */
export function rangeHeader(
  { offset, length }: Wanted,
): Record<string, string> {
  if (offset === 0 && length === undefined) return {};
  const last = length === undefined ? "" : `${offset + length - 1}`;
  return { range: `bytes=${offset}-${last}` };
}

/**
 * Takes a range out of an answer of status 200, 206 or 416.
 *
 * @throws {StoreError} `SHORT` if the file ends before the range, `RANGE` if the
 * server sends everything where little is wanted, `TRUNCATED`, `PROTOCOL`.
 */
export async function receiveRange(
  reply: Reply,
  wanted: Wanted,
  look?: LookAtHead,
): Promise<Received> {
  switch (reply.status) {
    case 206:
      return await receivePart(reply, wanted, look);
    case 416:
      return await receiveNone(reply, wanted);
    default:
      return await receiveWhole(reply, wanted, look);
  }
}

/** Fields of a `Content-Range`. */
export function contentRange(
  reply: Reply,
): { first?: number; last?: number; size?: number } {
  const header = reply.headers.get("content-range") ?? "";
  const match = /^bytes (?:(\d{1,15})-(\d{1,15})|\*)\/(?:(\d{1,15})|\*)$/
    .exec(header.trim());
  if (match === null) return {};
  const [first, last, size] = match.slice(1).map((digits) =>
    digits === undefined ? undefined : Number(digits)
  );
  return {
    ...(first === undefined ? {} : { first }),
    ...(last === undefined ? {} : { last }),
    ...(size === undefined ? {} : { size }),
  };
}

async function receivePart(
  reply: Reply,
  { offset, length, sizeMax = WHOLE_SIZE_MAX }: Wanted,
  look: LookAtHead | undefined,
): Promise<Received> {
  const { first, last, size } = contentRange(reply);
  const end = length === undefined ? size : offset + length;
  const isIt = first === offset && last !== undefined && last >= offset &&
    (end === undefined || last < end) && !(size !== undefined && last >= size);
  if (!isIt) {
    await reply.discard();
    throw failed(
      reply.doing,
      "PROTOCOL",
      `the answer must be bytes ${offset}-${
        end === undefined ? "" : end - 1
      }: found ${reply.headers.get("content-range")}`,
    );
  }
  const count = last + 1 - offset;
  if (length !== undefined && count < length) {
    await reply.discard();
    if (size === last + 1) {
      throw shortError(reply.doing.subject, offset + length, size);
    }
    throw truncated(reply, length, count);
  }
  if (length === undefined && count > sizeMax) {
    await reply.discard();
    throw largeError(reply.doing.subject, sizeMax);
  }
  const bytes = new Uint8Array(count);
  let done = 0;
  for await (const chunk of reply.chunks()) {
    if (done + chunk.length > count) throw tooMuch(reply, count);
    bytes.set(chunk, done);
    done += chunk.length;
  }
  if (done < count) throw truncated(reply, count, done);
  if (offset === 0 && count >= HEAD_SIZE) look?.(bytes.subarray(0, HEAD_SIZE));
  return { bytes, size };
}

async function receiveNone(
  reply: Reply,
  { offset, length }: Wanted,
): Promise<Received> {
  const { size } = contentRange(reply);
  await reply.discard();
  if (offset === size && length === undefined) {
    return { bytes: new Uint8Array(0), size };
  }
  throw shortError(
    reply.doing.subject,
    offset + (length ?? 0),
    size ?? offset,
  );
}

/** The whole file came: what is before the range is passed over, what is after it is not waited for. */
async function receiveWhole(
  reply: Reply,
  { offset, length, sizeMax = WHOLE_SIZE_MAX }: Wanted,
  look: LookAtHead | undefined,
): Promise<Received> {
  if (offset > PASSED_OVER_MAX) {
    await reply.discard();
    throw failed(
      reply.doing,
      "RANGE",
      "the server, or a proxy before it, sends whole files where a range is asked for",
    );
  }
  const end = length === undefined ? Infinity : offset + length;
  const chunks: Uint8Array[] = [];
  let at = 0;
  let head: Uint8Array = new Uint8Array(0);
  for await (const chunk of reply.chunks()) {
    if (head.length < HEAD_SIZE) {
      head = Uint8Array.of(
        ...head,
        ...chunk.subarray(0, HEAD_SIZE - head.length),
      );
      if (head.length === HEAD_SIZE) look?.(head);
    }
    const from = Math.max(0, offset - at);
    if (from < chunk.length) chunks.push(chunk.subarray(from, end - at));
    at += chunk.length;
    if (length === undefined && at - offset > sizeMax) {
      throw largeError(reply.doing.subject, sizeMax);
    }
    if (at >= end) break;
  }
  const size = reply.contentLength;
  if (at < end && size !== undefined && at !== size) {
    throw truncated(reply, size, at);
  }
  if (at < offset || (length !== undefined && at < end)) {
    throw shortError(
      reply.doing.subject,
      Math.max(offset, offset + (length ?? 0)),
      at,
    );
  }
  if (head.length > 0 && head.length < HEAD_SIZE) look?.(head);
  const count = Math.max(0, Math.min(at, end) - offset);
  const bytes = new Uint8Array(count);
  let filled = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  return { bytes, size: size ?? (end === Infinity ? at : undefined) };
}

function truncated(reply: Reply, need: number, found: number): Error {
  return failed(
    reply.doing,
    "TRUNCATED",
    `the answer must have ${need} bytes: found ${found} (TRUNCATED)`,
  );
}

function tooMuch(reply: Reply, need: number): Error {
  return failed(
    reply.doing,
    "PROTOCOL",
    `the answer must have ${need} bytes: found more`,
  );
}
