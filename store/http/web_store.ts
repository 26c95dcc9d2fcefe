/** A store behind a web server that knows nothing of it: read only. */
import { nodeModule } from "../node_module.ts";
import { checkRange, readNothing } from "../range.ts";
import { NotFoundError, type StoreAction, StoreError } from "../errors.ts";
import { pathOf } from "../serve/protocol.ts";
import type { ReadOptions, StoreEntry, StoreOptions } from "../store.ts";
import { checkStoreName, checkStorePrefix } from "../store_name.ts";
import { DOCUMENT_SIZE_MAX } from "../format/document.ts";
import type { Meter } from "../wrap/meter.ts";
import { failed } from "./failure.ts";
import {
  decodeListing,
  type Listing,
  LISTING_NAME,
  PACKS_PREFIX,
  pageNameOf,
} from "./listing_document.ts";
import {
  contentRange,
  rangeHeader,
  type Received,
  receiveRange,
  type Wanted,
} from "./receive_range.ts";
import { portalFailure } from "./served_remote_store.ts";
import type { Reply } from "./reply.ts";
import type { Sender } from "./sender.ts";
import type { RemoteStore } from "./remote_store.ts";

const MAGIC = [0x73, 0x6e, 0x61, 0x70]; // "snap"
/** How many files are remembered, to notice when one changes. */
const KNOWN_MAX = 4096;

/** Marks of a file in an answer. */
interface Known {
  readonly etag: string | undefined;
  readonly size: number | undefined;
}

/** A store behind a web server. */
export class WebStore implements RemoteStore {
  readonly kind = "web";
  readonly right = "read";
  readonly location: string;
  readonly meter: Meter;
  readonly #sender: Sender;
  readonly #known = new Map<string, Known>();
  #listing: { etag: string | undefined; listing: Listing } | undefined;
  /** Names that a listing has named. */
  #named = new Set<string>();

  constructor(sender: Sender, location: string) {
    this.#sender = sender;
    this.location = location;
    this.meter = sender.meter;
  }

  async read(name: string, options: ReadOptions = {}): Promise<Uint8Array> {
    checkStoreName(name);
    checkRange(options);
    const { offset = 0, length, sizeMax, signal } = options;
    if (length === 0) return await readNothing(this, name, offset, options);
    const wanted = { offset, length, sizeMax };
    const received = await this.#get("read", name, wanted, signal);
    if (received === undefined) throw new NotFoundError(name);
    return received.bytes;
  }

  async size(
    name: string,
    options?: StoreOptions,
  ): Promise<number | undefined> {
    checkStoreName(name);
    // A part of the file: what HEAD says a portal can say as well.
    const wanted = { offset: 0, length: MAGIC.length };
    try {
      const received = await this.#get("size", name, wanted, options?.signal);
      if (received === undefined) return undefined;
      if (received.size !== undefined) return received.size;
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== "SHORT") throw error;
    }
    return (await this.read(name, options)).length;
  }

  async *list(
    prefix: string,
    options?: StoreOptions,
  ): AsyncGenerator<StoreEntry[]> {
    checkStorePrefix(prefix);
    if (PACKS_PREFIX.startsWith(prefix) || prefix.startsWith(PACKS_PREFIX)) {
      throw failed(
        { action: "list", subject: prefix || "the store", storeName: prefix },
        "EROFS",
        "the listing of a web server names no packs",
      );
    }
    const { files, pages } = await this.#readListing(prefix, options?.signal);
    const fits = ({ name }: StoreEntry) => name.startsWith(prefix);
    const first = files.filter(fits);
    if (first.length > 0) yield first;
    for (const page of pages) {
      const overlaps = page.prefix.startsWith(prefix) ||
        prefix.startsWith(page.prefix);
      if (!overlaps) continue;
      const batch = (await this.#readPage(page.name, options?.signal))
        .filter(fits);
      if (batch.length > 0) yield batch;
    }
  }

  async create(name: string): Promise<boolean> {
    checkStoreName(name);
    return await this.#refuse("create", name);
  }

  async adopt(name: string, path: string): Promise<boolean> {
    checkStoreName(name);
    const { rm } = nodeModule("node:fs/promises");
    await rm(path, { force: true });
    return await this.#refuse("adopt", name);
  }

  async spoolPath(saveId: string): Promise<string> {
    const { newSpoolPath } = await import("../spool_path.ts");
    return await newSpoolPath(saveId);
  }

  async sync(prefixes: string[]): Promise<void> {
    return await this.#refuse("sync", prefixes.join(" "));
  }

  async remove(name: string): Promise<void> {
    checkStoreName(name);
    return await this.#refuse("remove", name);
  }

  async exchange(): Promise<Uint8Array> {
    return await this.#refuse("open", "an exchange");
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #refuse(action: StoreAction, subject: string): Promise<never> {
    return Promise.reject(failed(
      { action, subject, storeName: subject },
      "EROFS",
      `${this.#sender.host} is a web server that only reads: run snap serve there`,
    ));
  }

  /** Asks for a range; undefined if the file is absent. */
  async #get(
    action: StoreAction,
    name: string,
    wanted: Wanted,
    signal: AbortSignal | undefined,
  ): Promise<Received | undefined> {
    const ask = async (headers: Record<string, string>) =>
      await this.#sender.send({
        action,
        subject: name,
        storeName: name,
        method: "GET",
        path: pathOf(name),
        headers: { ...rangeHeader(wanted), ...headers },
        wanted: wanted.length,
        signal,
      });
    let reply = await ask({});
    if (isAbsent(reply) && this.#named.has(name)) {
      // A cache may remember a time when it was not there yet.
      await reply.discard();
      reply = await ask({ "cache-control": "no-cache" });
    }
    if (isAbsent(reply)) {
      await reply.discard();
      this.#known.delete(name);
      return undefined;
    }
    if (![200, 206, 416].includes(reply.status)) throw await reply.failure();
    await this.#compare(reply, name);
    return await receiveRange(reply, wanted, (head) => {
      if (!head.every((byte, i) => byte === MAGIC[i]) || head.length < 4) {
        throw portalFailure(reply);
      }
    });
  }

  /** Notices that a file is not what it was: its ranges would not fit each other. */
  async #compare(reply: Reply, name: string): Promise<void> {
    const etag = reply.headers.get("etag")?.replace(/^W\//, "");
    const size = reply.status === 200
      ? reply.contentLength
      : contentRange(reply).size;
    const known = this.#known.get(name);
    const differs = known !== undefined &&
      (differ(known.etag, etag) || differ(known.size, size));
    this.#known.delete(name);
    if (differs) {
      await reply.discard();
      throw failed(
        reply.doing,
        "CHANGED",
        `the file must be what it was, ${known.size} bytes with tag ${known.etag}: found ${size} with ${etag}`,
      );
    }
    if (this.#known.size >= KNOWN_MAX) {
      this.#known.delete(this.#known.keys().next().value!);
    }
    this.#known.set(name, {
      etag: etag ?? known?.etag,
      size: size ?? known?.size,
    });
  }

  /** The listing as it is now; its bytes come only when it has changed. */
  async #readListing(
    prefix: string,
    signal: AbortSignal | undefined,
  ): Promise<Listing> {
    const before = this.#listing;
    const headers: Record<string, string> = { "cache-control": "no-cache" };
    if (before?.etag !== undefined) headers["if-none-match"] = before.etag;
    const reply = await this.#sender.send({
      action: "list",
      subject: prefix || "the store",
      storeName: prefix,
      method: "GET",
      path: LISTING_NAME,
      headers,
      signal,
    });
    if (reply.status === 304 && before !== undefined) {
      await reply.discard();
      return before.listing;
    }
    if (isAbsent(reply)) {
      await reply.discard();
      throw failed(
        reply.doing,
        "NOLISTING",
        `${this.#sender.host} has no listing, and is no snap serve: write a listing there`,
      );
    }
    if (reply.status !== 200) throw await reply.failure();
    const etag = reply.headers.get("etag") ?? undefined;
    const listing = await this.#decode(reply, LISTING_NAME);
    this.#listing = { etag, listing };
    this.#named = new Set(listing.files.map(({ name }) => name));
    return listing;
  }

  async #readPage(
    name: string,
    signal: AbortSignal | undefined,
  ): Promise<readonly StoreEntry[]> {
    const reply = await this.#sender.send({
      action: "list",
      subject: name,
      storeName: name,
      method: "GET",
      path: name,
      signal,
    });
    if (isAbsent(reply)) {
      await reply.discard();
      this.#listing = undefined;
      throw failed(
        reply.doing,
        "CONFLICT",
        "the listing was written anew meanwhile (CONFLICT)",
      );
    }
    if (reply.status !== 200) throw await reply.failure();
    const { files } = await this.#decode(reply, name);
    for (const { name } of files) this.#named.add(name);
    return files;
  }

  async #decode(reply: Reply, name: string): Promise<Listing> {
    const bytes = await reply.bytes(DOCUMENT_SIZE_MAX);
    if (!MAGIC.every((byte, i) => byte === bytes[i])) {
      throw portalFailure(reply);
    }
    try {
      if (name !== LISTING_NAME && pageNameOf(bytes) !== name) {
        throw new Error("Cannot read listing as a page must have its own name");
      }
      return decodeListing(name, bytes);
    } catch (cause) {
      const { message } = cause as Error;
      throw failed(reply.doing, "PROTOCOL", message, { cause });
    }
  }
}

/** Only these two mean that a file is not there; a refusal is none of them. */
function isAbsent({ status }: Reply): boolean {
  return status === 404 || status === 410;
}

function differ<T>(a: T | undefined, b: T | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}
