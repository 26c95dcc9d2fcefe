/** Bytes from `start`, without `end`. */
export interface Span {
  /** First byte. */
  readonly start: number;
  /** The byte after the last. */
  readonly end: number;
}

/** What an answer to GET and HEAD says before its body. */
export interface AnswerHead {
  /** Its status. */
  readonly status: 200 | 206 | 304 | 416;
  /** Its headers. */
  readonly headers: Readonly<Record<string, string>>;
  /** What its body is, if it has one; to HEAD there is none, whatever this says. */
  readonly span?: Span;
}

/** Bytes that are asked for. */
export interface Answered {
  /** How many there are. */
  readonly size: number;
  /** What is said of them all, by names in small letters; `etag` is their tag. */
  readonly headers: Readonly<Record<string, string>> & {
    readonly etag: string;
  };
}

/**
 * Decides what to answer to GET and HEAD, by the conditions and the single range of RFC 9110.
 *
 * @param request What asks.
 * @param answered What it asks for.
 * @returns The head, and the range that is to be sent.
 */
export function answerHead(
  request: Pick<Request, "method" | "headers">,
  { size, headers }: Answered,
): AnswerHead {
  const { etag } = headers;
  if (lists(request.headers.get("if-none-match"), etag)) {
    return { status: 304, headers };
  }
  const range = rangeOf(request, size, etag);
  if (range === "none") {
    return { status: 416, headers: { "content-range": `bytes */${size}` } };
  }
  const span = range ?? { start: 0, end: size };
  const { start, end } = span;
  const ranged: Record<string, string> = range === undefined
    ? {}
    : { "content-range": `bytes ${start}-${end - 1}/${size}` };
  return {
    status: range === undefined ? 200 : 206,
    headers: { ...headers, ...ranged, "content-length": `${end - start}` },
    span,
  };
}

/** Whether a header of conditions names a tag; a weak one counts, too. */
function lists(header: string | null, etag: string): boolean {
  if (header === null) return false;
  return header.trim() === "*" ||
    header.split(",").some((one) => one.trim().replace(/^W\//, "") === etag);
}

/** The range that is asked for, `none` if there is no such, undefined for all. */
function rangeOf(
  request: Pick<Request, "method" | "headers">,
  size: number,
  etag: string,
): Span | "none" | undefined {
  const header = request.headers.get("range");
  const condition = request.headers.get("if-range");
  if (request.method !== "GET" || header === null) return undefined;
  if (condition !== null && condition !== etag) return undefined;
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.trim());
  // What is no single range may be answered with everything.
  if (match === null || (match[1] === "" && match[2] === "")) return undefined;
  const [, first, last] = match;
  if (first === "") {
    const start = Math.max(0, size - Number(last));
    return start === size ? "none" : { start, end: size };
  }
  const start = Number(first);
  const end = last === "" ? size : Math.min(size, Number(last) + 1);
  if (last !== "" && Number(last) < start) return undefined;
  return start >= size ? "none" : { start, end };
}
