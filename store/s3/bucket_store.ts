import { rm, stat } from "node:fs/promises";
import { checkBytes } from "@snap/hash";
import { checkRange, largeError, readNothing } from "../range.ts";
import { NotFoundError, StoreError } from "../errors.ts";
import { HEADER_SIZE } from "../header.ts";
import type {
  ReadOptions,
  StoreEntry,
  StoreOptions,
  UnfinishedUpload,
} from "../store.ts";
import {
  checkStoreName,
  checkStorePrefix,
  isStoreName,
} from "../store_name.ts";
import { Turns } from "../turns.ts";
import { createAgain, isOurs, type Mark, markOf } from "../wrap/ours.ts";
import type { BytesAnswer } from "../wrap/fetch_bytes.ts";
import type { Meter } from "../wrap/meter.ts";
import { RemoteError } from "../wrap/remote_error.ts";
import { retry } from "../wrap/retry.ts";
import { checkedRange, checkTag, rangeOf, sizeOf } from "./answer_checks.ts";
import { strangeError, xmlOf } from "./answer_error.ts";
import type { S3Client, S3Request } from "./client.ts";
import { addressOf } from "./location.ts";
import { readPart } from "../spool/file_part.ts";
import type { Spool } from "../spool/spool.ts";
import type { SpooledUploads } from "../spool/spooled_uploads.ts";
import { Multipart } from "./multipart.ts";
import type { S3Store } from "./options.ts";
import { partSizeOf } from "./multipart_sender.ts";

/** Parts of {@link BucketStore}. */
export interface BucketStoreParts {
  /** Sends requests. */
  readonly client: S3Client;
  /** Where files wait. */
  readonly spool: Spool;
  /** Makes uploads in parts. */
  readonly uploads: (store: BucketStore) => SpooledUploads;
  /** Size of a part in bytes: what is no larger goes in one request. */
  readonly partSize: number;
  /** Counts. */
  readonly meter: Meter;
}

/** The bytes of a file, or what loads them. */
type Body = NonNullable<S3Request["body"]>;

/** Creates only what is absent. */
const ABSENT = { "if-none-match": "*" } as const;
/** A name that no store has, for {@link BucketStore.probe}. */
const PROBE_PREFIX = "probe/";
const LIST_SIZE = 1000;

/** A store in a bucket. */
export class BucketStore implements S3Store {
  readonly meter: Meter;
  readonly location: string;
  readonly #client: S3Client;
  readonly #spool: Spool;
  readonly #uploads: SpooledUploads;
  readonly #partSize: number;
  readonly #turns = new Turns();

  constructor(parts: BucketStoreParts) {
    this.meter = parts.meter;
    this.location = addressOf(parts.client.location);
    this.#client = parts.client;
    this.#spool = parts.spool;
    this.#uploads = parts.uploads(this);
    this.#partSize = parts.partSize;
  }

  async read(name: string, options?: ReadOptions): Promise<Uint8Array> {
    checkStoreName(name);
    checkRange(options);
    const { signal, offset = 0, length, sizeMax } = options ?? {};
    signal?.throwIfAborted();
    const asked = { action: "read", subject: name, signal, sizeMax } as const;
    if (length === 0) return await readNothing(this, name, offset, options);
    const wanted = length ?? "all";
    const whole = (answer: BytesAnswer): BytesAnswer => {
      if (length !== undefined || !answer.isCut) return answer;
      throw largeError(name, sizeMax!);
    };
    if (offset === 0 && length === undefined) {
      const get = () => this.#get({ ...asked, name, wanted });
      return whole(await this.#retry(get, signal)).bytes;
    }
    const last = length === undefined ? "" : offset + length - 1;
    const headers = { range: `bytes=${offset}-${last}` };
    try {
      return await this.#retry(async () => {
        const answer = await this.#get({ ...asked, name, headers, wanted });
        return checkedRange(asked, whole(answer), offset, length);
      }, signal);
    } catch (error) {
      if (!hasCode(error, "InvalidRange") && !hasCode(error, "HTTP416")) {
        throw error;
      }
      return await readNothing(this, name, offset + (length ?? 0), options);
    }
  }

  async size(
    name: string,
    options?: StoreOptions,
  ): Promise<number | undefined> {
    checkStoreName(name);
    const signal = options?.signal;
    signal?.throwIfAborted();
    const asked = { action: "size", subject: name, name, signal } as const;
    try {
      return await this.#retry(async () => {
        // An answer to HEAD has no body, which alone tells an absent name from
        // an absent bucket.
        const headers = { range: "bytes=0-0" };
        const answer = await this.#get({ ...asked, headers, wanted: 1 });
        return rangeOf(asked, answer).total;
      }, signal);
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      if (!hasCode(error, "InvalidRange") && !hasCode(error, "HTTP416")) {
        throw error;
      }
    }
    const { headers } = await this.#client.send({ ...asked, method: "HEAD" });
    return sizeOf(asked, headers.get("content-length"));
  }

  async *list(
    prefix: string,
    options?: StoreOptions,
  ): AsyncGenerator<StoreEntry[]> {
    checkStorePrefix(prefix);
    const signal = options?.signal;
    signal?.throwIfAborted();
    const root = this.#client.location.prefix;
    const subject = prefix === "" ? "the store" : prefix;
    const asked = { action: "list", subject, signal } as const;
    let token: string | undefined;
    while (true) {
      const query = {
        "list-type": "2",
        prefix: root + prefix,
        "max-keys": String(LIST_SIZE),
        ...(token !== undefined && { "continuation-token": token }),
      };
      const page = await this.#retry(async () => {
        const request = { ...asked, method: "GET", query } as const;
        const answer = await this.#client.sendOnce(request);
        return xmlOf(asked, answer, "ListBucketResult");
      }, signal);
      const batch: StoreEntry[] = [];
      for (const found of page.all("Contents")) {
        const key = found.text("Key") ?? "";
        const name = key.slice(root.length);
        if (!key.startsWith(root) || !isStoreName(name)) continue;
        batch.push({ name, size: sizeOf(asked, found.text("Size")) });
      }
      if (batch.length > 0) yield batch;
      if (page.text("IsTruncated") !== "true") return;
      const next = page.text("NextContinuationToken");
      if (next === undefined || next === "" || next === token) {
        throw strangeError(
          asked,
          200,
          "the server says that a list goes on, and not where",
        );
      }
      token = next;
    }
  }

  async create(
    name: string,
    bytes: Uint8Array,
    options?: StoreOptions,
  ): Promise<boolean> {
    checkBytes(bytes, "content");
    checkStoreName(name);
    const signal = options?.signal;
    signal?.throwIfAborted();
    return await this.#create(markOf(name, bytes), bytes, signal);
  }

  async #create(
    mark: Mark,
    body: Body,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const { isSingleWriter } = this.#client.location;
    return await createAgain(
      mark,
      () =>
        isSingleWriter
          ? this.#turns.take(
            mark.name,
            () => this.#putAlone(mark, body, signal),
          )
          : this.#put(mark, body, signal, ABSENT),
      () => isOurs(this, mark, signal),
      this.#client.retryOptions(),
      signal,
    );
  }

  async #putAlone(
    mark: Mark,
    body: Body,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const size = await this.size(mark.name, signal && { signal });
    return size === undefined && await this.#put(mark, body, signal, {});
  }

  async #put(
    { name, size }: Mark,
    body: Body,
    signal: AbortSignal | undefined,
    headers: Readonly<Record<string, string>>,
  ): Promise<boolean> {
    const asked = { action: "create", subject: name, signal } as const;
    try {
      const answer = await this.#client.sendOnce({
        ...asked,
        name,
        method: "PUT",
        body,
        bodySize: size,
        headers,
      });
      checkTag(asked, answer);
      return true;
    } catch (error) {
      if (hasStatus(error, 412)) return false;
      throw hasStatus(error, 501) ? unconditional(name, error) : error;
    }
  }

  async adopt(
    name: string,
    path: string,
    options?: StoreOptions,
  ): Promise<boolean> {
    checkStoreName(name);
    const signal = options?.signal;
    try {
      signal?.throwIfAborted();
      const { size } = await stat(path);
      if (size <= this.#partSize) {
        const head = await readPart(path, 0, Math.min(size, HEADER_SIZE));
        // Read when its turn has come: many may wait.
        const load = () => readPart(path, 0, size);
        return await this.#create({ name, size, head }, load, signal);
      }
      if (await this.size(name, options) !== undefined) return false;
      const partSize = partSizeOf(size, this.#partSize);
      const file = { name, path, size, partSize, signal };
      return await this.#uploads.upload(file);
    } catch (error) {
      throw fileError(error, name, path);
    } finally {
      await rm(path, { force: true });
    }
  }

  async spoolPath(saveId: string): Promise<string> {
    return await this.#spool.newPath(saveId);
  }

  // deno-lint-ignore require-await -- what is wrong rejects, it does not throw
  async sync(prefixes: string[], options?: StoreOptions): Promise<void> {
    prefixes.forEach(checkStorePrefix);
    options?.signal?.throwIfAborted();
  }

  async remove(name: string, options?: StoreOptions): Promise<void> {
    checkStoreName(name);
    const signal = options?.signal;
    signal?.throwIfAborted();
    const asked = { action: "remove", subject: name, name, signal } as const;
    try {
      const answer = await this.#client.send({ ...asked, method: "DELETE" });
      if (answer.status === 204 || answer.bytes.length === 0) return;
      throw strangeError(asked, answer.status, "the answer must be empty");
    } catch (error) {
      if (!hasCode(error, "NoSuchKey")) throw error;
    }
  }

  async probe(options?: StoreOptions): Promise<void> {
    if (this.#client.location.isSingleWriter) return;
    const random = crypto.getRandomValues(new Uint8Array(80));
    const name = PROBE_PREFIX + crypto.randomUUID();
    try {
      const first = await this.create(name, random, options);
      const other = random.subarray(1);
      const mark = markOf(name, other);
      const second = await this.#put(mark, other, options?.signal, ABSENT);
      if (!first || second) throw unconditional("a name");
    } finally {
      await this.#removeProbe(name, options);
    }
  }

  /** A writer who may create and not remove leaves 80 bytes. */
  async #removeProbe(name: string, options?: StoreOptions): Promise<void> {
    try {
      await this.remove(name, options);
    } catch (error) {
      if (!hasStatus(error, 403)) throw error;
    }
  }

  async finishUploads(options?: StoreOptions): Promise<number> {
    return await this.#uploads.finishAll(options?.signal);
  }

  async listUploads(
    options?: StoreOptions,
  ): Promise<readonly UnfinishedUpload[]> {
    const uploads: UnfinishedUpload[] = [];
    for await (const one of Multipart.list(this.#client, "", options?.signal)) {
      uploads.push(one);
    }
    return uploads;
  }

  /** Sends a GET once; an absent name is an error of its own. */
  async #get(request: Omit<S3Request, "method">): Promise<BytesAnswer> {
    try {
      const answer = await this.#client.sendOnce({ ...request, method: "GET" });
      checkTag(request, answer);
      return answer;
    } catch (error) {
      if (!hasCode(error, "NoSuchKey")) throw error;
      throw new NotFoundError(request.name!, { cause: error });
    }
  }

  async #retry<T>(
    call: () => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    return await retry(call, this.#client.retryOptions(), signal);
  }
}

function hasStatus(error: unknown, status: number): boolean {
  return error instanceof RemoteError && error.status === status;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof RemoteError && error.code === code;
}

function unconditional(name: string, cause?: unknown): RemoteError {
  return new RemoteError(
    `Cannot create ${name}: the server cannot create only what is absent, so that it needs a single writer`,
    {
      code: "NO_CONDITION",
      action: "create",
      storeName: name,
      cause,
      hint: "?single-writer behind the address says that nobody else writes",
    },
  );
}

/** The error of a file that cannot be read, where it is one. */
function fileError(error: unknown, name: string, path: string): unknown {
  const code = (error as { code?: unknown }).code;
  if (error instanceof StoreError || typeof code !== "string") return error;
  const reason = code === "ENOENT"
    ? "its file is not there"
    : code === "ENOSPC"
    ? "the disk of the spool folder is full"
    : "the spool folder fails";
  return new StoreError(`Cannot store ${name}: ${reason} (${code})`, {
    code,
    action: "adopt",
    storeName: name,
    path,
    cause: error,
  });
}
