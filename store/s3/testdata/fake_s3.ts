import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/** An answer. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/**
 * What goes wrong with a request.
 *
 * - an answer: it is given, and nothing is done.
 * - `lose`: it is done, and the connection ends before the answer.
 * - `drop`: nothing is done, and the connection ends.
 * - `cut`: it is done, and the answer ends in the middle.
 * - `hang`: nothing is done, and there is no answer.
 * - `stall`: it is done, and the answer stops in the middle.
 * - a function: makes another answer of the right one.
 */
export type Trouble =
  | Answer
  | "lose"
  | "drop"
  | "cut"
  | "hang"
  | "stall"
  | ((answer: Answer) => Answer);

/** A request, as it came. */
export interface Seen {
  /** Its number, from 1. */
  readonly number: number;
  /** The verb, and what is asked of: `PUT part`, `GET list`. */
  readonly kind: string;
  /** The key, empty if it is about the bucket. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: Uint8Array;
}

interface Upload {
  readonly key: string;
  readonly parts: Map<number, Uint8Array>;
}

/** The error that S3 gives. */
export function s3Error(
  status: number,
  code: string,
  headers: Record<string, string> = {},
): Answer {
  const body =
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>No.</Message></Error>`;
  return {
    status,
    body,
    headers: { "content-type": "application/xml", ...headers },
  };
}

/** A server that speaks as much of S3 as the store does, and fails as a test says. */
export class FakeS3 implements AsyncDisposable {
  /** What is in the bucket. */
  readonly objects: Map<string, Uint8Array> = new Map<string, Uint8Array>();
  /** Uploads in parts that have not ended. */
  readonly uploads: Map<string, Upload> = new Map<string, Upload>();
  /** The requests, in order. */
  readonly seen: Seen[] = [];
  /** Says what goes wrong with a request. */
  trouble: (seen: Seen) => Trouble | undefined = () => undefined;
  /** What happens when a request came, before all else. */
  onRequest: (seen: Seen) => void = () => {};
  /** What the clock of the server says, in milliseconds; undefined if it does not look. */
  date: (() => number) | undefined;
  /** Whether `If-None-Match` is heeded. */
  isConditional = true;
  /** Whether the bucket is there. */
  hasBucket = true;
  /** Entries and parts on a page. */
  pageSize = 1000;
  readonly #server = createServer((request, response) => {
    this.#serve(request, response).catch(() => response.destroy());
  });

  /** Starts a server. */
  static async start(): Promise<FakeS3> {
    const fake = new FakeS3();
    await new Promise<void>((resolve) =>
      fake.#server.listen(0, "127.0.0.1", resolve)
    );
    return fake;
  }

  get endpoint(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  /** The kinds of the requests, in order. */
  get kinds(): string[] {
    return this.seen.map(({ kind }) => kind);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const pieces: Uint8Array[] = [];
    for await (const piece of request) pieces.push(piece);
    const seen = this.#see(request, new Uint8Array(Buffer.concat(pieces)));
    this.seen.push(seen);
    this.onRequest(seen);
    const trouble = this.trouble(seen);
    if (trouble === "hang") return;
    if (trouble === "drop") {
      response.destroy();
      return;
    }
    if (typeof trouble === "object") {
      send(response, trouble);
      return;
    }
    const right = this.#answer(seen);
    if (trouble === "lose") response.destroy();
    else if (trouble === "cut" || trouble === "stall") {
      sendHalf(response, right, trouble === "cut");
    } else send(response, trouble === undefined ? right : trouble(right));
  }

  #see(request: IncomingMessage, body: Uint8Array): Seen {
    const url = new URL(request.url!, "http://x");
    const [, , ...rest] = decodeURIComponent(url.pathname).split("/");
    const key = rest.join("/");
    const query = url.searchParams;
    const what = query.has("partNumber")
      ? "part"
      : query.has("uploads")
      ? "uploads"
      : query.has("uploadId")
      ? "upload"
      : query.has("list-type")
      ? "list"
      : "object";
    return {
      number: this.seen.length + 1,
      kind: `${request.method} ${what}`,
      key,
      query,
      headers: request.headers,
      body,
    };
  }

  #answer(seen: Seen): Answer {
    const { headers, body } = seen;
    if (this.date !== undefined) {
      const signed = headers["x-amz-date"] as string;
      const [, y, mo, d, h, mi, s] = /(....)(..)(..)T(..)(..)(..)Z/.exec(
        signed,
      )!;
      const off = Date.UTC(+y, +mo - 1, +d, +h, +mi, +s) - this.date();
      if (Math.abs(off) > 900_000) {
        const date = new Date(this.date()).toUTCString();
        return s3Error(403, "RequestTimeTooSkewed", { date });
      }
    }
    if (!this.hasBucket) return s3Error(404, "NoSuchBucket");
    if (/^(PUT|POST)/.test(seen.kind) && body.length > 0) {
      if (headers["content-md5"] !== md5(body, "base64")) {
        return s3Error(400, "BadDigest");
      }
    }
    const handler = HANDLERS[seen.kind];
    return handler === undefined
      ? s3Error(405, "MethodNotAllowed")
      : handler(this, seen);
  }
}

type Handler = (fake: FakeS3, seen: Seen) => Answer;

const HANDLERS: Readonly<Record<string, Handler>> = {
  "GET object": (fake, { key, headers }) => {
    const bytes = fake.objects.get(key);
    if (bytes === undefined) return s3Error(404, "NoSuchKey");
    const etag = tagOf(bytes);
    if ((headers["if-match"] ?? etag) !== etag) {
      return s3Error(412, "PreconditionFailed");
    }
    const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "");
    if (range === null) return { status: 200, headers: { etag }, body: bytes };
    const first = Number(range[1]);
    if (first >= bytes.length) return s3Error(416, "InvalidRange");
    const last = Math.min(Number(range[2] || Infinity), bytes.length - 1);
    return {
      status: 206,
      headers: {
        etag,
        "content-range": `bytes ${first}-${last}/${bytes.length}`,
      },
      body: bytes.subarray(first, last + 1),
    };
  },
  "HEAD object": (fake, { key }) => {
    const bytes = fake.objects.get(key);
    return bytes === undefined ? { status: 404 } : {
      status: 200,
      headers: { etag: tagOf(bytes), "content-length": String(bytes.length) },
    };
  },
  "PUT object": (fake, { key, headers, body }) => {
    const isTaken = fake.objects.has(key) && headers["if-none-match"] === "*";
    if (isTaken && fake.isConditional) {
      return s3Error(412, "PreconditionFailed");
    }
    fake.objects.set(key, body);
    return { status: 200, headers: { etag: tagOf(body) } };
  },
  "DELETE object": (fake, { key }) => {
    fake.objects.delete(key);
    return { status: 204 };
  },
  "GET list": (fake, { query }) => {
    const prefix = query.get("prefix")!;
    const after = query.get("continuation-token") ?? "";
    const keys = [...fake.objects.keys()].sort().filter((key) =>
      key.startsWith(prefix) && key > after
    );
    const page = keys.slice(0, fake.pageSize);
    const isCut = keys.length > page.length;
    const next = isCut
      ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>`
      : "";
    const contents = page.map((key) =>
      `<Contents><Key>${key}</Key><Size>${
        fake.objects.get(key)!.length
      }</Size></Contents>`
    );
    return xml(
      "ListBucketResult",
      `<IsTruncated>${isCut}</IsTruncated>${next}${contents.join("")}`,
    );
  },
  "POST uploads": (fake, { key }) => {
    const id = randomBytes(8).toString("hex");
    fake.uploads.set(id, { key, parts: new Map() });
    return xml(
      "InitiateMultipartUploadResult",
      `<UploadId>${id}</UploadId>`,
    );
  },
  "PUT part": (fake, { query, body }) => {
    const upload = fake.uploads.get(query.get("uploadId")!);
    if (upload === undefined) return s3Error(404, "NoSuchUpload");
    upload.parts.set(Number(query.get("partNumber")), body);
    return { status: 200, headers: { etag: tagOf(body) } };
  },
  "GET upload": (fake, { query }) => {
    const upload = fake.uploads.get(query.get("uploadId")!);
    if (upload === undefined) return s3Error(404, "NoSuchUpload");
    const after = Number(query.get("part-number-marker") ?? 0);
    const all = [...upload.parts].sort(([a], [b]) => a - b).filter(([n]) =>
      n > after
    );
    const page = all.slice(0, fake.pageSize);
    const parts = page.map(([number, bytes]) =>
      `<Part><PartNumber>${number}</PartNumber><ETag>${
        tagOf(bytes).replaceAll('"', "&quot;")
      }</ETag><Size>${bytes.length}</Size></Part>`
    );
    const isCut = all.length > page.length;
    const next = page.at(-1)?.[0] ?? 0;
    return xml(
      "ListPartsResult",
      `<IsTruncated>${isCut}</IsTruncated><NextPartNumberMarker>${next}</NextPartNumberMarker>${
        parts.join("")
      }`,
    );
  },
  "POST upload": (fake, { key, query, headers, body }) => {
    const id = query.get("uploadId")!;
    const upload = fake.uploads.get(id);
    if (upload === undefined) return s3Error(404, "NoSuchUpload");
    const isTaken = fake.objects.has(key) && headers["if-none-match"] === "*";
    if (isTaken && fake.isConditional) {
      return s3Error(412, "PreconditionFailed");
    }
    const text = new TextDecoder().decode(body);
    const pieces: Uint8Array[] = [];
    const wanted = text.matchAll(
      /<PartNumber>(\d+)<\/PartNumber><ETag>(.*?)<\/ETag>/g,
    );
    for (const [, number, tag] of wanted) {
      const bytes = upload.parts.get(Number(number));
      if (bytes === undefined || tag.replace(/&#34;/g, '"') !== tagOf(bytes)) {
        return s3Error(400, "InvalidPart");
      }
      pieces.push(bytes);
    }
    const whole = new Uint8Array(Buffer.concat(pieces));
    const sums = pieces.map((one) => Buffer.from(md5(one, "hex"), "hex"));
    const sum = md5(Buffer.concat(sums), "hex");
    partTags.set(whole, `"${sum}-${pieces.length}"`);
    fake.objects.set(key, whole);
    fake.uploads.delete(id);
    return xml("CompleteMultipartUploadResult", `<Key>${key}</Key>`);
  },
  "DELETE upload": (fake, { query }) => {
    const isThere = fake.uploads.delete(query.get("uploadId")!);
    return isThere ? { status: 204 } : s3Error(404, "NoSuchUpload");
  },
  "GET uploads": (fake, { query }) => {
    const prefix = query.get("prefix") ?? "";
    const uploads = [...fake.uploads].filter(([, { key }]) =>
      key.startsWith(prefix)
    ).map(([id, { key }]) =>
      `<Upload><Key>${key}</Key><UploadId>${id}</UploadId></Upload>`
    );
    return xml(
      "ListMultipartUploadsResult",
      `<IsTruncated>false</IsTruncated>${uploads.join("")}`,
    );
  },
};

function xml(root: string, content: string): Answer {
  const body =
    `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</${root}>`;
  return { status: 200, headers: { "content-type": "application/xml" }, body };
}

function send(response: ServerResponse, answer: Answer): void {
  const { status, headers, body } = answer;
  response.writeHead(status, headers);
  response.end(body);
}

/** Sends half of an answer, then ends the connection or nothing more. */
function sendHalf(
  response: ServerResponse,
  { status, headers, body }: Answer,
  isEnded: boolean,
): void {
  const bytes = Buffer.from(body ?? "");
  const size = Math.max(bytes.length, 10);
  const half = bytes.length > 0
    ? bytes.subarray(0, bytes.length >> 1)
    : Buffer.from("half");
  response.writeHead(status, { ...headers, "content-length": String(size) });
  response.write(half, () => {
    if (isEnded) response.destroy();
  });
}

/** Tags of objects that were made of parts. */
const partTags = new WeakMap<Uint8Array, string>();

function tagOf(bytes: Uint8Array): string {
  return partTags.get(bytes) ?? `"${md5(bytes, "hex")}"`;
}

function md5(bytes: Uint8Array, encoding: "hex" | "base64"): string {
  return createHash("md5").update(bytes).digest(encoding);
}
