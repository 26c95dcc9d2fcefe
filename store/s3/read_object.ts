import { NotFoundError } from "../errors.ts";
import { RemoteError } from "../wrap/remote_error.ts";
import { retry } from "../wrap/retry.ts";
import { checkedRange, checkTag, rangeOf } from "./answer_checks.ts";
import type { S3Client } from "./client.ts";

/** Bytes of one request. */
const RANGE_SIZE = 8 * 1024 * 1024;
/** Requests that are under way while the bytes of one are used. */
const AHEAD = 2;

/** Which part of an object is read, from which client. */
export interface ObjectRange {
  readonly client: S3Client;
  readonly name: string;
  /** The first byte. */
  readonly offset: number;
  /** How many bytes at most. */
  readonly length: number;
  readonly signal: AbortSignal | undefined;
}

/** The bytes of one request. */
interface Piece {
  readonly bytes: Uint8Array;
  /** Bytes of the whole object. */
  readonly total: number;
  readonly tag: string;
}

/**
 * Reads an object, range after range, a few ahead. All of them are of the object
 * that was there at first.
 *
 * @throws {NotFoundError} If it is absent.
 * @throws {RemoteError} If it has been replaced meanwhile, or the server fails.
 */
export async function* readObject(
  range: ObjectRange,
): AsyncGenerator<Uint8Array, void, void> {
  const { offset, length } = range;
  if (length === 0) return;
  const over = new AbortController();
  const signals = [over.signal, ...range.signal ? [range.signal] : []];
  const own = { ...range, signal: AbortSignal.any(signals) };
  const ahead: Promise<Piece | undefined>[] = [];
  try {
    const first = await readRange(own, offset);
    if (first === undefined) return;
    const end = Math.min(offset + length, first.total);
    let next = offset + first.bytes.length;
    const readAhead = () => {
      while (ahead.length < AHEAD && next < end) {
        const reading = readRange(own, next, first.tag);
        reading.catch(() => {}); // Who waits for it hears of it.
        ahead.push(reading);
        next = Math.min(next + RANGE_SIZE, end);
      }
    };
    readAhead();
    yield first.bytes;
    for (let piece; (piece = ahead.shift()) !== undefined;) {
      const read = await piece;
      readAhead();
      if (read !== undefined) yield read.bytes;
    }
  } finally {
    over.abort();
    await Promise.allSettled(ahead);
  }
}

/** Reads one range; undefined if the object ends before. */
async function readRange(
  { client, name, offset: start, length: most, signal }: ObjectRange,
  offset: number,
  tag?: string,
): Promise<Piece | undefined> {
  const length = Math.min(RANGE_SIZE, start + most - offset);
  const asked = { action: "read", subject: name, name, signal } as const;
  const headers = {
    range: `bytes=${offset}-${offset + length - 1}`,
    ...tag !== undefined && { "if-match": tag },
  };
  try {
    return await retry(
      async () => {
        const request = { ...asked, method: "GET", headers } as const;
        const answer = await client.sendOnce({ ...request, wanted: length });
        checkTag(asked, answer);
        const { total } = rangeOf(asked, answer);
        const size = Math.min(length, total - offset);
        const bytes = checkedRange(asked, answer, offset, size);
        return { bytes, total, tag: answer.headers.get("etag")! };
      },
      client.retryOptions(),
      signal,
    );
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    if (error.code === "NoSuchKey") throw new NotFoundError(name);
    if (error.status === 416) return undefined;
    if (error.status !== 412) throw error;
    throw new RemoteError(
      `Cannot read ${name}: it was replaced while it was read`,
      { code: "ESTALE", action: "read", storeName: name, cause: error },
    );
  }
}
