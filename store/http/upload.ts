/** Files on their way up, in parts that fit through whatever is between. */
import { nodeModule } from "../node_module.ts";
import { BODY_SIZE_START, hexDigits } from "../serve/protocol.ts";
import { StoreError } from "../errors.ts";
import { type Doing, failed } from "./failure.ts";
import type { Reply } from "./reply.ts";
import type { Sender } from "./sender.ts";

/** Something to send. */
export interface UploadSource {
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
  /** SHA-256 of all of it in hex. */
  digest(): Promise<string>;
}

/** The server may lose an upload so often, or others may go on with it. */
const TRIES_MAX = 3;
/** No proxy has a limit below this. */
const BODY_SIZE_MIN: number = 64 * 1024;

/**
 * How large bodies may be on the way to one server: it begins with what every
 * proxy lets through, doubles while that goes well, and halves when it does not.
 */
export class BodySize {
  #size: number;
  #max: number;

  constructor(max: number) {
    this.#max = Math.max(BODY_SIZE_MIN, max);
    this.#size = Math.min(BODY_SIZE_START, this.#max);
  }

  /** The size of the next body in bytes. */
  get current(): number {
    return this.#size;
  }

  /** A body went through. */
  wentThrough(size: number): void {
    if (size < this.#size) return;
    this.#size = Math.min(this.#max, 2 * this.#size);
  }

  /** A body did not go through. Says whether a smaller one is worth a try. */
  wasTooLarge(size: number): boolean {
    if (size <= BODY_SIZE_MIN) return false;
    this.#max = Math.max(BODY_SIZE_MIN, Math.min(this.#max, size >> 1));
    this.#size = Math.min(this.#size, this.#max);
    return true;
  }
}

/** What is sent, and what ends it. */
type UploadCall = Doing & { readonly signal?: AbortSignal | undefined };

/** Sends files. */
export class Uploader {
  readonly #sender: Sender;
  readonly #bodySize: BodySize;

  constructor(sender: Sender, bodySize: BodySize) {
    this.#sender = sender;
    this.#bodySize = bodySize;
  }

  /**
   * Creates a name if it is absent.
   *
   * @returns Whether this created it.
   */
  async create(
    call: UploadCall,
    { name, source }: { readonly name: string; readonly source: UploadSource },
    put: (body: Uint8Array) => Promise<Reply>,
  ): Promise<boolean> {
    const path = `~join?name=${encodeURIComponent(name)}&`;
    const reply = await this.send(call, { path, source }, put);
    const { status, isOurs } = reply;
    if (!isOurs || (status !== 201 && status !== 412)) {
      throw await reply.failure();
    }
    await reply.json();
    return status === 201;
  }

  /**
   * Sends a body, in parts if it is too large for what is between.
   *
   * @param path Where the parts are put to use; what names them is added.
   * @param put Sends it in one.
   * @returns The answer.
   */
  async send(
    call: UploadCall,
    { path, source }: { readonly path: string; readonly source: UploadSource },
    put: (body: Uint8Array) => Promise<Reply>,
  ): Promise<Reply> {
    while (source.size <= this.#bodySize.current) {
      const reply = await this.#tryBody(
        source.size,
        async () => await put(await source.read(0, source.size)),
      );
      if (reply !== undefined) return reply;
    }
    const id = await source.digest();
    let offset = 0;
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      offset = await this.#sendParts(call, { id, source, offset });
      const reply = await this.#sender.send({
        ...call,
        method: "POST",
        path: `${path}id=${id}&size=${source.size}`,
      });
      if (!reply.isOurs || reply.status !== 409) return reply;
      offset = await offsetIn(reply);
    }
    throw failed(
      call,
      "CONFLICT",
      "the server lost what was sent, again and again (CONFLICT)",
    );
  }

  /** Sends the parts from an offset on. What the server has already it says itself. */
  async #sendParts(
    call: UploadCall,
    upload: { id: string; source: UploadSource; offset: number },
  ): Promise<number> {
    const { id, source } = upload;
    let { offset } = upload;
    let disagreed = 0;
    while (offset < source.size) {
      const size = Math.min(this.#bodySize.current, source.size - offset);
      const body = await source.read(offset, size);
      const reply = await this.#tryBody(size, () =>
        this.#sender.send({
          ...call,
          method: "POST",
          path: `~part?id=${id}&offset=${offset}`,
          body,
        }));
      if (reply === undefined) continue;
      const isKnown = reply.status === 200 || reply.status === 409;
      if (!reply.isOurs || !isKnown) throw await reply.failure();
      // Others who send the same file, or an answer that was lost, move the end.
      if (
        reply.status === 409 && ++disagreed > source.size / size + TRIES_MAX
      ) {
        throw await reply.failure();
      }
      offset = await offsetIn(reply);
      if (offset > source.size) return offset;
    }
    return offset;
  }

  /** Sends a body; undefined if it was too large for what is between. */
  async #tryBody(
    size: number,
    send: () => Promise<Reply>,
  ): Promise<Reply | undefined> {
    let reply: Reply;
    try {
      reply = await send();
    } catch (error) {
      // Some proxies close the connection while a body above their limit comes.
      const broke = error instanceof StoreError && error.code === "ECONNRESET";
      if (
        broke && size > BODY_SIZE_START && this.#bodySize.wasTooLarge(size)
      ) return undefined;
      throw error;
    }
    const isTooMuch = reply.status === 413 ||
      (!reply.isOurs && (reply.status === 408 || reply.status === 504));
    if (!isTooMuch) {
      this.#bodySize.wentThrough(size);
      return reply;
    }
    const failure = await reply.failure();
    if (failure.reason === "FILESIZE" || !this.#bodySize.wasTooLarge(size)) {
      throw failure;
    }
    return undefined;
  }
}

async function offsetIn(reply: Reply): Promise<number> {
  const { offset } = await reply.json();
  if (Number.isSafeInteger(offset) && offset as number >= 0) {
    return offset as number;
  }
  throw failed(reply.doing, "PROTOCOL", "the answer must have an offset");
}

/** Bytes in memory. */
export function memorySource(bytes: Uint8Array): UploadSource {
  return {
    size: bytes.length,
    read: (offset, length) =>
      Promise.resolve(bytes.subarray(offset, offset + length)),
    digest: async () =>
      hexDigits(
        await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>),
      ),
  };
}

/** A file that is opened for the time of a call. */
export async function withFileSource<T>(
  path: string,
  use: (source: UploadSource) => Promise<T>,
): Promise<T> {
  const { open } = nodeModule("node:fs/promises");
  const { createHash } = nodeModule("node:crypto");
  const file = await open(path, "r");
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await file.read(
        bytes,
        done,
        length - done,
        offset + done,
      );
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return bytes.subarray(0, done);
  };
  try {
    const { size } = await file.stat();
    return await use({
      size,
      read,
      async digest() {
        const hash = createHash("sha256");
        for (let at = 0; at < size; at += BODY_SIZE_START) {
          hash.update(await read(at, Math.min(BODY_SIZE_START, size - at)));
        }
        return hash.digest("hex");
      },
    });
  } finally {
    await file.close();
  }
}
