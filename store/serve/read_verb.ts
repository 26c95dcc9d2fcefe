/** Reading a name or a range of it, as any web server would answer. */
import { NotFoundError } from "../errors.ts";
import { answerHead, type Span } from "../answer_head.ts";
import type { ReadStore } from "../store.ts";
import type { Answer } from "./answer.ts";
import { streamOf } from "./body.ts";
import { hexDigits } from "./protocol.ts";

/** Names whose content never changes and that hold no state: any cache may keep them. */
const IMMUTABLE = /^(packs|listings)\//;
/** Names that say by themselves what they hold, so that their size makes a tag. */
const NAMED_BY_CONTENT = /^(packs|index|snapshots|listings)\//;
const PIECE_SIZE = 1024 * 1024;
/** Largest file that is hashed for its tag. */
const HASHED_SIZE_MAX = 4 * 1024 * 1024;

/** Parts of a read. */
export interface ReadRequest {
  readonly store: ReadStore;
  readonly name: string;
  readonly request: Request;
  /** Whether the answer is for who has a token only. */
  readonly isPrivate: boolean;
  readonly idleMs: number;
}

/** Answers GET and HEAD of a name. */
export async function readVerb(wanted: ReadRequest): Promise<Answer> {
  const { store, name, request } = wanted;
  const { signal } = request;
  const size = await store.size(name, { signal });
  if (size === undefined) throw new NotFoundError(name);
  const { etag, bytes } = await tagOf(store, name, size, signal);
  const headers = {
    "accept-ranges": "bytes",
    "cache-control": cacheRule(name, wanted.isPrivate),
    "content-type": "application/octet-stream",
    etag,
  };
  const { span, ...head } = answerHead(request, { size, headers });
  if (span === undefined) return head;
  const { start, end } = span;
  const body = bytes?.subarray(start, end) ?? await contentOf(wanted, span);
  return { ...head, body };
}

function cacheRule(name: string, isPrivate: boolean): string {
  const who = isPrivate ? "private" : "public";
  return IMMUTABLE.test(name)
    ? `${who}, max-age=31536000, immutable, no-transform`
    : `${who}, no-cache, no-transform`;
}

/** The tag of a name, and its bytes where they had to be read for it. */
async function tagOf(
  store: ReadStore,
  name: string,
  size: number,
  signal: AbortSignal,
): Promise<{ etag: string; bytes?: Uint8Array }> {
  if (NAMED_BY_CONTENT.test(name) || size > HASHED_SIZE_MAX) {
    return { etag: `"${size.toString(16)}"` };
  }
  const bytes = await store.read(name, { length: size, signal });
  const hash = await crypto.subtle.digest(
    "SHA-256",
    bytes as Uint8Array<ArrayBuffer>,
  );
  return { etag: `"${hexDigits(hash).slice(0, 32)}"`, bytes };
}

/** The bytes at once where they are few; else piece by piece, the first of them now. */
async function contentOf(
  { store, name, request, idleMs }: ReadRequest,
  { start, end }: Span,
): Promise<Uint8Array | ReadableStream<Uint8Array> | undefined> {
  if (request.method === "HEAD") return undefined;
  const { signal } = request;
  const read = (offset: number) =>
    store.read(name, {
      offset,
      length: Math.min(PIECE_SIZE, end - offset),
      signal,
    });
  const first = await read(start);
  if (first.length === end - start) return first;
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield first;
    for (let at = start + PIECE_SIZE; at < end; at += PIECE_SIZE) {
      yield await read(at);
    }
  }
  return streamOf(pieces(), idleMs);
}
