import { createHash } from "node:crypto";
import type { SentPart } from "../spool/journal.ts";
import type { StoreOptions } from "../store.ts";
import { RemoteError } from "../wrap/remote_error.ts";
import { retry } from "../wrap/retry.ts";
import type { S3Client } from "./client.ts";
import { Multipart } from "./multipart.ts";
import { PARTS_MAX, partSizeOf, VANISHED } from "./multipart_sender.ts";
import { type ObjectHead, objectHead, plainTag } from "./object_head.ts";
import { readObject } from "./read_object.ts";

/** Most bytes of parts that are under way at once. */
const IN_FLIGHT_MAX = 32 * 1024 * 1024;
/** Most parts that are under way at once: what a kill makes go again. */
const LANES_MAX = 4;
/** Bytes by which an object that is there is first compared. */
const GLANCE_SIZE = 64 * 1024;
/** Uploads of the same key that are looked at. */
const UPLOADS_MAX = 100;

/** Options of a writer. */
export interface ObjectWriteOptions extends StoreOptions {
  /**
   * Whether an object that is there is replaced.
   *
   * @default {false}
   */
  readonly isReplacing?: boolean;
  /**
   * About how many bytes will come: an object has at most 10,000 parts. What comes
   * again after a kill has to say the same.
   *
   * @default {0}
   */
  readonly sizeHint?: number;
}

/** An object that was written. */
export interface WrittenObject {
  /** Bytes of it. */
  readonly byteCount: number;
  /** Bytes that were sent: the others were there. */
  readonly sentByteCount: number;
}

/** Parts of {@link ObjectWriter}. */
export interface ObjectWriterParts {
  readonly client: S3Client;
  readonly name: string;
  /** Bytes of a part, unless there would be too many. */
  readonly partSize: number;
  readonly options: ObjectWriteOptions;
}

/** A part that was made. */
interface Part {
  readonly number: number;
  readonly bytes: Uint8Array;
  /** Its MD5, 32 hex digits. */
  readonly md5: string;
}

/**
 * Writes an object while its bytes are made. Nothing is kept on this machine: an
 * upload that ended early is known by its key and its first part. Whoever makes
 * the same bytes again goes on with it, and sends the parts that it lacks. Tags of
 * parts are compared with MD5s, so that no other upload is ever completed.
 */
export class ObjectWriter implements AsyncDisposable {
  readonly #client: S3Client;
  readonly #name: string;
  readonly #options: ObjectWriteOptions;
  readonly #partSize: number;
  readonly #lanes: number;
  #part: Uint8Array;
  #held = 0;
  #byteCount = 0;
  #sentByteCount = 0;
  readonly #md5s: string[] = [];
  readonly #parts: SentPart[] = [];
  /** What the server has of the upload, from a run before. */
  #kept: ReadonlyMap<number, SentPart> = new Map();
  /** The upload; or the object is there, and only compared. */
  #way: Multipart | "compare" | undefined;
  /** Uploads of the same key with other bytes. */
  #stale: Multipart[] = [];
  readonly #sending = new Set<Promise<void>>();
  #failure: unknown;

  /** Asks for nothing yet. */
  constructor({ client, name, partSize, options }: ObjectWriterParts) {
    this.#client = client;
    this.#name = name;
    this.#options = options;
    this.#partSize = partSizeOf(options.sizeHint ?? 0, partSize);
    this.#part = new Uint8Array(this.#partSize);
    const lanes = Math.floor(IN_FLIGHT_MAX / this.#partSize);
    this.#lanes = Math.min(Math.max(lanes, 1), LANES_MAX);
  }

  /**
   * Takes the next bytes.
   *
   * @param bytes They may change afterwards.
   * @throws {RemoteError} With code `EEXIST` if another object is there and is not replaced.
   */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      // What fits one part goes in one request: none is sent before more comes.
      if (this.#held === this.#partSize) await this.#flush();
      const size = Math.min(this.#partSize - this.#held, bytes.length - at);
      this.#part.set(bytes.subarray(at, at + size), this.#held);
      this.#held += size;
      at += size;
    }
  }

  /**
   * Ends the object, which is there from then on. What is disposed of without leaves
   * none, and the parts that were sent to whoever goes on.
   *
   * @returns What was written.
   * @throws {RemoteError} If what is there then is not what was written.
   */
  async finish(): Promise<WrittenObject> {
    if (this.#way === undefined) await this.#put();
    else {
      await this.#flush();
      await Promise.all(this.#sending);
      this.#checkFailure();
      await this.#complete();
    }
    await Promise.all(this.#stale.map((one) => one.abort()));
    return { byteCount: this.#byteCount, sentByteCount: this.#sentByteCount };
  }

  /** Waits for what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sending);
  }

  /** Takes what was gathered as a part, and begins to send it. */
  async #flush(): Promise<void> {
    const part = this.#takePart();
    this.#way ??= await this.#choose(part);
    const kept = this.#kept.get(part.number);
    if (this.#way === "compare") return;
    if (kept !== undefined && isSame(kept, part)) {
      this.#parts[part.number - 1] = kept;
      return;
    }
    if (this.#sending.size >= this.#lanes) await Promise.race(this.#sending);
    this.#checkFailure();
    const sending = this.#send(this.#way, part)
      .catch((error) => void (this.#failure ??= error))
      .finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
    // By the first part an upload is known: what comes before it would be lost.
    if (part.number === 1) await sending;
  }

  #takePart(): Part {
    const bytes = this.#part.subarray(0, this.#held);
    const number = this.#md5s.length + 1;
    if (number > PARTS_MAX) {
      throw this.#error(
        "EFBIG",
        `it has more than ${PARTS_MAX} parts of ${this.#partSize} bytes`,
      );
    }
    const md5 = createHash("md5").update(bytes).digest("hex");
    this.#md5s.push(md5);
    this.#byteCount += bytes.length;
    this.#part = new Uint8Array(this.#partSize);
    this.#held = 0;
    return { number, bytes, md5 };
  }

  async #send(upload: Multipart, part: Part): Promise<void> {
    const { number, bytes } = part;
    const size = bytes.length;
    try {
      const load = () => Promise.resolve(bytes);
      const tag = await upload.send(number, size, load);
      this.#parts[number - 1] = { number, size, tag };
      this.#sentByteCount += size;
    } catch (error) {
      if (!isVanished(error)) throw error;
      // Another program may have sent the same, and was the first to end it.
      this.#way = "compare";
    }
  }

  #checkFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Finds out what the first part goes into. */
  async #choose(first: Part): Promise<Multipart | "compare"> {
    if (!this.#options.isReplacing && await this.#look() !== undefined) {
      if (await this.#beginsWith(first.bytes)) return "compare";
      throw this.#exists();
    }
    for (const upload of await this.#uploads()) {
      const kept = await upload.listParts().catch(ifRefused(undefined));
      const part = kept?.get(1);
      if (this.#kept.size > 0 || !part || !isSame(part, first)) {
        this.#stale.push(upload);
      } else {
        this.#kept = kept!;
        this.#way = upload;
      }
    }
    return this.#way ?? await this.#begin();
  }

  async #begin(): Promise<Multipart> {
    const { signal } = this.#options;
    const begun = await Multipart.begin(this.#client, this.#name, signal);
    if (begun.isUnsure) {
      // One whose answer was lost may be there, too.
      const all = await this.#uploads();
      this.#stale = all.filter((one) => one.uploadId !== begun.uploadId);
    }
    return begun;
  }

  /** Uploads of the key that have not ended; none where the server does not list these. */
  async #uploads(): Promise<Multipart[]> {
    const { signal } = this.#options;
    const found: Multipart[] = [];
    try {
      const all = Multipart.list(this.#client, this.#name, signal);
      for await (const one of all) {
        if (one.name === this.#name) found.push(one);
        if (found.length === UPLOADS_MAX) break;
      }
    } catch (error) {
      ifRefused(undefined)(error);
    }
    return found;
  }

  async #look(): Promise<ObjectHead | undefined> {
    return await objectHead(this.#client, this.#name, this.#options.signal);
  }

  async #beginsWith(bytes: Uint8Array): Promise<boolean> {
    const { signal } = this.#options;
    const length = Math.min(GLANCE_SIZE, bytes.length);
    const range = { client: this.#client, name: this.#name, signal };
    let at = 0;
    for await (const piece of readObject({ ...range, offset: 0, length })) {
      for (const byte of piece) if (byte !== bytes[at++]) return false;
    }
    return at === length;
  }

  async #complete(): Promise<void> {
    const { isReplacing = false, signal } = this.#options;
    const upload = this.#way as Multipart | "compare";
    let isCreated: boolean | undefined;
    if (upload !== "compare") {
      try {
        isCreated = await retry(
          () => upload.complete(this.#parts, { isReplacing }),
          this.#client.retryOptions(),
          signal,
        );
      } catch (error) {
        if (!isVanished(error)) throw error;
        // It ended well and the answer was lost, or it was ended by others.
      }
    }
    const there = await this.#look();
    if (isCreated) {
      // The keys may give no right to look.
      if (there === undefined || this.#isThis(there, this.#parts)) return;
      throw this.#error("EPROTO", "it has other bytes than were sent");
    }
    if (there !== undefined && this.#isThis(there)) return;
    if (upload !== "compare") await upload.abort();
    if (there !== undefined && !isReplacing) throw this.#exists();
    throw this.#error(
      "GONE",
      "its upload was ended by others",
      "what runs once more begins anew",
    );
  }

  /** Whether an object has the bytes that were written, by its size and its tag. */
  #isThis({ size, tag }: ObjectHead, sent: readonly SentPart[] = []): boolean {
    if (size !== this.#byteCount) return false;
    const hash = createHash("md5");
    for (const md5 of this.#md5s) hash.update(md5, "hex");
    if (tag === `${hash.digest("hex")}-${this.#md5s.length}`) return true;
    // Where content is encrypted by keys of the server, tags are no MD5s.
    return sent.some((one, i) => plainTag(one.tag) !== this.#md5s[i]);
  }

  /** Sends what fits one part. */
  async #put(): Promise<void> {
    const { isReplacing = false, signal } = this.#options;
    const { bytes, md5 } = this.#takePart();
    const isThis = (there: ObjectHead) => {
      if (there.size === bytes.length && there.tag === md5) return true;
      throw this.#exists();
    };
    const before = isReplacing ? undefined : await this.#look();
    if (before !== undefined && isThis(before)) return;
    const isConditional = !isReplacing && !this.#client.location.isSingleWriter;
    try {
      await this.#client.send({
        ...{ action: "create", subject: this.#name, name: this.#name, signal },
        ...{ method: "PUT", body: bytes, bodySize: bytes.length },
        headers: isConditional ? { "if-none-match": "*" } : {},
      });
      this.#sentByteCount = bytes.length;
    } catch (error) {
      if (!(error instanceof RemoteError) || error.status !== 412) throw error;
      const there = await this.#look();
      if (there === undefined) throw error;
      isThis(there);
    }
  }

  #exists(): RemoteError {
    return this.#error("EEXIST", "it is there");
  }

  #error(code: string, reason: string, hint?: string): RemoteError {
    return new RemoteError(
      `Cannot write ${this.#name}: ${reason}`,
      { code, action: "create", storeName: this.#name, hint },
    );
  }
}

function isSame({ size, tag }: SentPart, { bytes, md5 }: Part): boolean {
  return size === bytes.length && plainTag(tag) === md5;
}

function isVanished(error: unknown): boolean {
  return error instanceof RemoteError && VANISHED.has(error.code);
}

/** Takes what a server refuses for another answer: not every key may list, nor can every server. */
function ifRefused<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof RemoteError && !error.isTransient) return value;
    throw error;
  };
}
