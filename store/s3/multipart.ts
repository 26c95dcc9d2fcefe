import { RemoteError } from "../wrap/remote_error.ts";
import { retry } from "../wrap/retry.ts";
import { strangeError, xmlOf } from "./answer_error.ts";
import type { S3Client, S3Request } from "./client.ts";
import type { SentPart } from "../spool/journal.ts";
import { escapeXml, type XmlAnswer } from "./xml.ts";

const PAGE_SIZE = 1000;
/** Pages that are read of one list. A server that goes on and on is wrong. */
const PAGES_MAX = 1000;

/** One upload in parts, as S3 knows it. */
export class Multipart {
  readonly name: string;
  readonly uploadId: string;
  /** Whether there may be another one for the same key, whose answer was lost. */
  readonly isUnsure: boolean;
  readonly #client: S3Client;
  readonly #signal: AbortSignal | undefined;

  constructor(
    client: S3Client,
    name: string,
    uploadId: string,
    signal?: AbortSignal,
    isUnsure = false,
  ) {
    this.#client = client;
    this.name = name;
    this.uploadId = uploadId;
    this.#signal = signal;
    this.isUnsure = isUnsure;
  }

  /** Begins an upload. */
  static async begin(
    client: S3Client,
    name: string,
    signal: AbortSignal | undefined,
  ): Promise<Multipart> {
    const asked = { action: "adopt", subject: name, name, signal } as const;
    let tries = 0;
    const uploadId = await retry(
      async () => {
        tries++;
        const query = { uploads: "" };
        const request = { ...asked, method: "POST", query } as const;
        const answer = await client.sendOnce(request);
        const xml = xmlOf(asked, answer, "InitiateMultipartUploadResult");
        return textOf(asked, xml, "UploadId");
      },
      client.retryOptions(),
      signal,
    );
    return new Multipart(client, name, uploadId, signal, tries > 1);
  }

  /**
   * Sends a part, whose bytes are loaded when its turn has come.
   *
   * @returns The tag that the server gives it.
   */
  async send(
    number: number,
    size: number,
    load: () => Promise<Uint8Array>,
  ): Promise<string> {
    const asked = this.#asked();
    const { headers, status } = await this.#client.send({
      ...asked,
      method: "PUT",
      query: { partNumber: String(number), uploadId: this.uploadId },
      body: load,
      bodySize: size,
    });
    const tag = headers.get("etag");
    if (tag !== null) return tag;
    throw strangeError(asked, status, "the server gives a part no tag");
  }

  /** The parts that the server has, by their number. */
  async listParts(): Promise<Map<number, SentPart>> {
    const parts = new Map<number, SentPart>();
    const query = { uploadId: this.uploadId, "max-parts": String(PAGE_SIZE) };
    const pages = this.#pages(query, "ListPartsResult", [
      ["NextPartNumberMarker", "part-number-marker"],
    ]);
    for await (const page of pages) {
      for (const one of page.all("Part")) {
        const number = Number(one.text("PartNumber"));
        const size = Number(one.text("Size"));
        parts.set(number, { number, size, tag: one.text("ETag") ?? "" });
      }
    }
    return parts;
  }

  /**
   * Makes one file of the parts, once.
   *
   * @param parts All of them.
   * @param options Whether a file that is there is replaced.
   * @returns False if the name is there.
   */
  async complete(
    parts: readonly SentPart[],
    { isReplacing = false }: { readonly isReplacing?: boolean } = {},
  ): Promise<boolean> {
    const asked = this.#asked();
    const list = parts.map(({ number, tag }) =>
      `<Part><PartNumber>${number}</PartNumber><ETag>${
        escapeXml(tag)
      }</ETag></Part>`
    );
    const body =
      `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${
        list.join("")
      }</CompleteMultipartUpload>`;
    const { isSingleWriter } = this.#client.location;
    try {
      const answer = await this.#client.sendOnce({
        ...asked,
        method: "POST",
        query: { uploadId: this.uploadId },
        body: new TextEncoder().encode(body),
        headers: isSingleWriter || isReplacing ? {} : { "if-none-match": "*" },
      });
      xmlOf(asked, answer, "CompleteMultipartUploadResult");
      return true;
    } catch (error) {
      if (error instanceof RemoteError && isTaken(error)) return false;
      throw error;
    }
  }

  /** Ends the upload without a file, as far as the server can be reached. */
  async abort(): Promise<void> {
    await this.#abort(this.uploadId);
  }

  /** Ends all other uploads of the same key: it is named by its content, and nobody else has it. */
  async abortOthers(): Promise<void> {
    const list = Multipart.list(this.#client, this.name, this.#signal);
    for await (const { name, uploadId } of list) {
      const isOther = uploadId !== this.uploadId;
      if (name === this.name && isOther) await this.#abort(uploadId);
    }
  }

  /** Lists the uploads of all keys whose names begin with a prefix. */
  static async *list(
    client: S3Client,
    prefix: string,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Multipart> {
    const { prefix: own } = client.location;
    const all = new Multipart(client, prefix, "", signal);
    const query = {
      uploads: "",
      prefix: own + prefix,
      "max-uploads": String(PAGE_SIZE),
    };
    const pages = all.#pages(query, "ListMultipartUploadsResult", [
      ["NextKeyMarker", "key-marker"],
      ["NextUploadIdMarker", "upload-id-marker"],
    ], { ...all.#asked(), name: undefined });
    for await (const page of pages) {
      for (const one of page.all("Upload")) {
        const key = one.text("Key"), uploadId = one.text("UploadId");
        if (uploadId === undefined || !key?.startsWith(own)) continue;
        yield new Multipart(client, key.slice(own.length), uploadId, signal);
      }
    }
  }

  async #abort(uploadId: string): Promise<void> {
    try {
      await this.#client.sendOnce({
        ...this.#asked(),
        method: "DELETE",
        query: { uploadId },
        signal: undefined, // What ends the upload must not end this.
      });
    } catch {
      // What is left of it goes with the next prune, or by a rule of the bucket.
    }
  }

  async *#pages(
    query: Readonly<Record<string, string>>,
    root: string,
    markers: readonly (readonly [string, string])[],
    asked: Omit<S3Request, "method"> = this.#asked(),
  ): AsyncGenerator<XmlAnswer> {
    let more: Record<string, string> = {};
    for (let count = 0; count < PAGES_MAX; count++) {
      const request = { ...asked, method: "GET" } as const;
      const page = await retry(
        async () => {
          const answer = await this.#client.sendOnce({
            ...request,
            query: { ...query, ...more },
          });
          return xmlOf(asked, answer, root);
        },
        this.#client.retryOptions(),
        this.#signal,
      );
      yield page;
      if (page.text("IsTruncated") !== "true") return;
      more = Object.fromEntries(
        markers.map(([said, name]) => [name, textOf(asked, page, said)]),
      );
    }
    throw strangeError(asked, 200, "the list of its parts has no end");
  }

  #asked(): Omit<S3Request, "method"> {
    const signal = this.#signal;
    return { action: "adopt", subject: this.name, name: this.name, signal };
  }
}

function textOf(
  asked: Pick<S3Request, "action" | "subject">,
  xml: XmlAnswer,
  name: string,
): string {
  const text = xml.text(name);
  if (text) return text;
  throw strangeError(asked, 200, `the answer has no ${name}`);
}

function isTaken({ status, code }: RemoteError): boolean {
  return status === 412 || code === "PreconditionFailed";
}
