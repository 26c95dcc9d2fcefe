import { createHash, type Hash } from "node:crypto";
import { BLOCK_SIZE } from "./header.ts";

/** Bytes that are gathered before they are handed on. */
const BUFFER_SIZE = 1 << 20;
/** What GNU tar fills an archive up to. */
const RECORD_SIZE = 20 * BLOCK_SIZE;

/** Where an archive goes. */
export interface ByteSink {
  /**
   * Takes the next bytes.
   *
   * @param bytes They belong to the sink.
   */
  write(bytes: Uint8Array): Promise<void>;
}

/** Gathers the bytes of an archive, and hashes them. */
export class TarOutput implements AsyncDisposable {
  /** Bytes so far. */
  byteCount = 0;
  readonly #sink: ByteSink;
  readonly #hash: Hash = createHash("sha256");
  #buffer = new Uint8Array(BUFFER_SIZE);
  #held = 0;
  #writing: Promise<void> = Promise.resolve();

  /** Hands nothing on yet. */
  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** Gives a block of zeros to be filled in before the next call. */
  block(): Promise<Uint8Array> | Uint8Array {
    if (BUFFER_SIZE - this.#held < BLOCK_SIZE) {
      return this.#flush().then(() => this.#takeBlock());
    }
    return this.#takeBlock();
  }

  #takeBlock(): Uint8Array {
    this.byteCount += BLOCK_SIZE;
    return this.#buffer.subarray(this.#held, this.#held += BLOCK_SIZE);
  }

  /** Adds bytes, which may change afterwards. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      if (this.#held === BUFFER_SIZE) await this.#flush();
      const size = Math.min(BUFFER_SIZE - this.#held, bytes.length - at);
      this.#buffer.set(bytes.subarray(at, at + size), this.#held);
      this.#held += size;
      at += size;
    }
    this.byteCount += bytes.length;
  }

  /** Fills up to the end of a block. */
  pad(): void {
    // The buffer ends with a block, and is zeros where nothing was written.
    const size = (BLOCK_SIZE - this.byteCount % BLOCK_SIZE) % BLOCK_SIZE;
    this.#held += size;
    this.byteCount += size;
  }

  /**
   * Ends the archive.
   *
   * @returns Its SHA-256, 64 hex digits.
   */
  async finish(): Promise<string> {
    const end = this.byteCount + 2 * BLOCK_SIZE;
    const size = Math.ceil(end / RECORD_SIZE) * RECORD_SIZE - this.byteCount;
    await this.write(new Uint8Array(size));
    await this.#flush();
    await this.#writing;
    return this.#hash.digest("hex");
  }

  /** Waits for what is being written, also where the export has failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing.catch(() => {});
  }

  /** Hands on what was gathered, and goes on while it is being written. */
  async #flush(): Promise<void> {
    const bytes = this.#buffer.subarray(0, this.#held);
    this.#buffer = new Uint8Array(BUFFER_SIZE);
    this.#held = 0;
    await this.#writing;
    if (bytes.length === 0) return;
    this.#writing = this.#sink.write(bytes);
    this.#writing.catch(() => {}); // Who waits hears of it.
    this.#hash.update(bytes);
  }
}
