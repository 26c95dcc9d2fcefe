/** A store behind a server of ours, over either carrier. */
import { nodeModule } from "../node_module.ts";
import { checkBytes } from "@snap/hash";
import { HEADER_SIZE } from "../header.ts";
import { checkRange, readNothing } from "../range.ts";
import { storeFailure } from "../file/store_failure.ts";
import { NotFoundError, type StoreAction } from "../errors.ts";
import { BODY_SIZE_START, pathOf } from "../serve/protocol.ts";
import type { Right } from "../serve/options.ts";
import type { ReadOptions, StoreEntry, StoreOptions } from "../store.ts";
import { checkStoreName, checkStorePrefix } from "../store_name.ts";
import type { Meter } from "../wrap/meter.ts";
import { createAgain, isOurs } from "../wrap/ours.ts";
import type { RetryOptions } from "../wrap/retry.ts";
import type { SpooledUploads, UploadSender } from "../spool/spooled_uploads.ts";
import type { SpoolPlace } from "../spool_path.ts";
import { type Doing, failed } from "./failure.ts";
import { parseList } from "./parse_list.ts";
import { rangeHeader, receiveRange } from "./receive_range.ts";
import type { Reply } from "./reply.ts";
import type { Call, Sender } from "./sender.ts";
import {
  BodySize,
  memorySource,
  Uploader,
  type UploadSource,
  withFileSource,
} from "./upload.ts";
import type { RemoteStore } from "./remote_store.ts";

const NO_RETRY: RetryOptions = { triesMax: 1 };
/** Largest answer of an exchange in bytes. */
const EXCHANGE_SIZE_MAX: number = 64 * 1024 * 1024;

/** Parts of a {@link ServedRemoteStore}. */
export interface ServedParts extends SpoolPlace {
  readonly sender: Sender;
  readonly location: string;
  readonly right: Right;
  readonly bodySizeMax: number;
  readonly retry?: RetryOptions;
  readonly close: () => Promise<void>;
}

/** A store behind a server of ours. */
export class ServedRemoteStore implements RemoteStore {
  readonly kind = "serve";
  readonly location: string;
  readonly right: Right;
  readonly meter: Meter;
  readonly #parts: ServedParts;
  readonly #sender: Sender;
  readonly #uploader: Uploader;

  constructor(parts: ServedParts) {
    this.#parts = parts;
    this.location = parts.location;
    this.right = parts.right;
    this.meter = parts.sender.meter;
    this.#sender = parts.sender;
    this.#uploader = new Uploader(
      parts.sender,
      new BodySize(parts.bodySizeMax),
    );
  }

  async read(name: string, options: ReadOptions = {}): Promise<Uint8Array> {
    checkStoreName(name);
    checkRange(options);
    const { offset = 0, length, sizeMax, signal } = options;
    if (length === 0) return await readNothing(this, name, offset, options);
    const reply = await this.#send(doing("read", name), {
      method: "GET",
      path: pathOf(name),
      headers: rangeHeader({ offset, length }),
      wanted: length,
      signal,
    });
    if (reply.status === 404 && reply.isOurs) {
      await reply.discard();
      throw new NotFoundError(name);
    }
    await expect(reply, [200, 206, 416]);
    return (await receiveRange(reply, { offset, length, sizeMax })).bytes;
  }

  async size(
    name: string,
    options?: StoreOptions,
  ): Promise<number | undefined> {
    checkStoreName(name);
    const reply = await this.#post(doing("size", name), {
      path: `~size?name=${encodeURIComponent(name)}`,
      signal: options?.signal,
    });
    await expect(reply, [200]);
    const { size } = await reply.json();
    if (size === null) return undefined;
    if (Number.isSafeInteger(size) && size as number >= 0) {
      return size as number;
    }
    throw failed(reply.doing, "PROTOCOL", "the answer must have a size");
  }

  async *list(
    prefix: string,
    options?: StoreOptions,
  ): AsyncGenerator<StoreEntry[]> {
    checkStorePrefix(prefix);
    const reply = await this.#post(doing("list", prefix), {
      path: `~list?prefix=${encodeURIComponent(prefix)}`,
      signal: options?.signal,
    });
    await expect(reply, [200]);
    yield* parseList(reply, prefix);
  }

  async create(
    name: string,
    bytes: Uint8Array,
    options?: StoreOptions,
  ): Promise<boolean> {
    checkBytes(bytes, "content");
    checkStoreName(name);
    const source = memorySource(bytes);
    return await this.#upload("create", name, source, options?.signal);
  }

  async adopt(
    name: string,
    path: string,
    options?: StoreOptions,
  ): Promise<boolean> {
    checkStoreName(name);
    const signal = options?.signal;
    const { rm, stat } = nodeModule("node:fs/promises");
    try {
      signal?.throwIfAborted();
      const { size } = await stat(path);
      // What goes at once is not worth a journal.
      if (size <= BODY_SIZE_START) {
        return await this.#sendFile(name, path, signal);
      }
      const uploads = await this.#uploads();
      return await uploads.upload({ name, path, size, signal });
    } catch (error) {
      throw storeFailure("adopt", { storeName: name, path }, error);
    } finally {
      await rm(path, { force: true }).catch(() => {});
    }
  }

  async finishUploads(options?: StoreOptions): Promise<number> {
    return await (await this.#uploads()).finishAll(options?.signal);
  }

  /** Uploads that outlive this process: the server keeps what it has of them. */
  async #uploads(): Promise<SpooledUploads> {
    const [{ Spool, spoolFolder }, { SpooledUploads }] = await Promise.all([
      import("../spool/spool.ts"),
      import("../spool/spooled_uploads.ts"),
    ]);
    const { location: place, spoolFolder: folder } = this.#parts;
    const spool = new Spool(
      folder ?? spoolFolder(place, this.#parts.env ?? globalThis.process.env),
    );
    const sender: UploadSender = {
      send: ({ mark, filePath, signal }) =>
        this.#sendFile(mark.name, filePath, signal),
      // It goes by itself, as no verb ends an upload.
      abandon: () => Promise.resolve(),
    };
    return new SpooledUploads({ spool, place, sender });
  }

  async #sendFile(
    name: string,
    path: string,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    return await withFileSource(path, async (source) => {
      const { size } = source;
      const head = await source.read(0, Math.min(size, HEADER_SIZE));
      const { retry = NO_RETRY } = this.#parts;
      return await createAgain(
        { name, size, head },
        () => this.#upload("adopt", name, source, signal),
        () => isOurs(this, { name, size, head }, signal),
        {
          ...retry,
          onRetry: (error, pauseMs) => {
            this.meter.retries++;
            retry.onRetry?.(error, pauseMs);
          },
        },
        signal,
      );
    });
  }

  async spoolPath(saveId: string): Promise<string> {
    const { newSpoolPath } = await import("../spool_path.ts");
    return await newSpoolPath(saveId, this.#parts);
  }

  async sync(prefixes: string[], options?: StoreOptions): Promise<void> {
    prefixes.forEach(checkStorePrefix);
    const reply = await this.#post(doing("sync", prefixes.join(" ")), {
      path: "~sync",
      headers: { "content-type": "application/json" },
      body: new TextEncoder().encode(JSON.stringify({ prefixes })),
      signal: options?.signal,
    });
    await expect(reply, [204]);
    await reply.discard();
  }

  async remove(name: string, options?: StoreOptions): Promise<void> {
    checkStoreName(name);
    const reply = await this.#send(doing("remove", name), {
      method: "DELETE",
      path: pathOf(name),
      signal: options?.signal,
    });
    await expect(reply, [204]);
    await reply.discard();
  }

  async exchange(
    body: Uint8Array,
    options?: StoreOptions,
  ): Promise<Uint8Array> {
    const what: Doing = { action: "open", subject: "an exchange" };
    const { signal } = options ?? {};
    const post = (some: Uint8Array): Promise<Reply> =>
      this.#post(what, {
        path: "~exchange",
        headers: { "content-type": "application/octet-stream" },
        body: some,
        signal,
      });
    // Only who may add can send in parts.
    const reply = this.right === "read" ? await post(body) : await this
      .#uploader.send(
        { ...what, signal },
        { path: "~exchange?", source: memorySource(body) },
        post,
      );
    await expect(reply, [200]);
    return await reply.bytes(EXCHANGE_SIZE_MAX);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.close();
  }

  async #upload(
    action: StoreAction,
    name: string,
    source: UploadSource,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const call = { ...doing(action, name), signal };
    signal?.throwIfAborted();
    return await this.#uploader.create(
      call,
      { name, source },
      (body) =>
        this.#send(call, {
          method: "PUT",
          path: pathOf(name),
          headers: {
            "content-type": "application/octet-stream",
            "if-none-match": "*",
          },
          body,
          signal: call.signal,
        }),
    );
  }

  async #post(
    what: Doing,
    call: Omit<Call, keyof Doing | "method">,
  ): Promise<Reply> {
    return await this.#send(what, { method: "POST", ...call });
  }

  async #send(what: Doing, call: Omit<Call, keyof Doing>): Promise<Reply> {
    return await this.#sender.send({ ...what, ...call });
  }
}

function doing(action: StoreAction, name: string): Doing {
  return { action, subject: name === "" ? "the store" : name, storeName: name };
}

/** Refuses an answer of another status, or of somebody else. */
async function expect(
  reply: Reply,
  statuses: readonly number[],
): Promise<void> {
  const isFine = statuses.includes(reply.status);
  if (isFine && reply.isOurs) return;
  if (!isFine) throw await reply.failure();
  await reply.discard();
  throw portalFailure(reply);
}

/** The error of an answer of a portal, or of a proxy that invents pages. */
export function portalFailure(reply: Reply): Error {
  const type = reply.headers.get("content-type") ?? "no type";
  return failed(
    reply.doing,
    "PORTAL",
    `the answer must come from the store: found ${type} (${reply.status}), such as the page of a portal`,
  );
}
