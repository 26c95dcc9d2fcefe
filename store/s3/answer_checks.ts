import { shortError } from "../range.ts";
import type { BytesAnswer } from "../wrap/fetch_bytes.ts";
import { type Asked, strangeError } from "./answer_error.ts";

/** Whoever answers without a tag of the content is not S3, and holds nothing. */
export function checkTag(asked: Asked, { status, headers }: BytesAnswer): void {
  if (headers.has("etag")) return;
  const isPage = (headers.get("content-type") ?? "").includes("html");
  const who = isPage ? "a web page" : "something that is no S3";
  const reason = `${who} has answered in place of the store (${status})`;
  throw strangeError(asked, status, reason);
}

/** The range that an answer says it has. */
export function rangeOf(
  asked: Asked,
  { status, headers }: BytesAnswer,
): { first: number; last: number; total: number } {
  const text = headers.get("content-range") ?? "";
  const found = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(text);
  if (status !== 206 || found === null) {
    const reason = status === 200
      ? "the server answers a range with everything"
      : "the answer does not say which range it is";
    throw strangeError(asked, status, reason);
  }
  const [first, last, total] = found.slice(1).map(Number);
  return { first, last, total };
}

/** The bytes of a range, if they are those that were asked for. */
export function checkedRange(
  asked: Asked,
  answer: BytesAnswer,
  offset: number,
  length: number | undefined,
): Uint8Array {
  const { first, last, total } = rangeOf(asked, answer);
  const end = length === undefined ? total : offset + length;
  if (end > total) throw shortError(asked.subject, end, total);
  const { bytes, isCut, status } = answer;
  const isWhole = bytes.length === last - first + 1 && !isCut;
  if (first !== offset || last !== end - 1 || !isWhole) {
    const found = `${first}-${last} with ${bytes.length} bytes`;
    const reason = `the range must be ${offset}-${end - 1}: found ${found}`;
    throw strangeError(asked, status, reason);
  }
  return bytes;
}

/** A size that an answer tells. */
export function sizeOf(asked: Asked, text: string | null | undefined): number {
  if (text && /^\d{1,15}$/.test(text)) return Number(text);
  throw strangeError(asked, 200, "the server does not say how large it is");
}
