import { createHash, type Hash } from "node:crypto";
import type { ByteSink } from "../byte_sink.ts";
import { BLOCK_SIZE } from "./header.ts";

/** Bytes that are gathered before they are handed on. */
const BUFFER_SIZE = 1 << 20;
/** What GNU tar fills an archive up to. */
const RECORD_SIZE = 20 * BLOCK_SIZE;

/** Gathers the bytes of an archive, and hashes them. */
export class TarOutput implements ByteSink, AsyncDisposable {
  /** Bytes so far. */
  byteCount = 0;
  readonly #sink: ByteSink;
  readonly #hash: Hash = createHash("sha256");
  #buffer = new Uint8Array(BUFFER_SIZE);
  /** The buffer that was handed on last. */
  #other = new Uint8Array(BUFFER_SIZE);
  #held = 0;
  #writing: Promise<void> | undefined;

  /** Hands nothing on yet. */
  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /**
   * Adds bytes, which may change when what is waited for is over.
   *
   * @returns What to wait for before more is added, if anything.
   */
  write(bytes: Uint8Array): Promise<void> | undefined {
    this.byteCount += bytes.length;
    const end = this.#held + bytes.length;
    if (end > BUFFER_SIZE) return this.#writeParts(bytes);
    this.#buffer.set(bytes, this.#held);
    this.#held = end;
    return undefined;
  }

  async #writeParts(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      if (this.#held === BUFFER_SIZE) await this.#flush();
      const size = Math.min(BUFFER_SIZE - this.#held, bytes.length - at);
      this.#buffer.set(bytes.subarray(at, at + size), this.#held);
      this.#held += size;
      at += size;
    }
  }

  /** Fills up to the end of a block. */
  pad(): void {
    // The buffer ends with a block.
    const size = (BLOCK_SIZE - this.byteCount % BLOCK_SIZE) % BLOCK_SIZE;
    this.#buffer.fill(0, this.#held, this.#held + size);
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
    await this.#writing?.catch(() => {});
  }

  /** Hands on what was gathered, and goes on while it is being written. */
  async #flush(): Promise<void> {
    const buffer = this.#buffer;
    const bytes = buffer.subarray(0, this.#held);
    await this.#writing;
    this.#buffer = this.#other;
    this.#other = buffer;
    this.#held = 0;
    this.#writing = this.#sink.write(bytes);
    this.#writing?.catch(() => {}); // Who waits hears of it.
    this.#hash.update(bytes);
  }
}
