import type { Output } from "./context.ts";

/** Bytes that are gathered before they are written. */
const BUFFER_SIZE = 64 * 1024;

/** Writes lines to an {@linkcode Output}, many at once where nobody watches. */
export class LineWriter {
  readonly #output: Output;
  readonly #encoder = new TextEncoder();
  #text: string[] = [];
  #size = 0;

  /**
   * Writes nothing yet.
   *
   * @param output Where to.
   */
  constructor(output: Output) {
    this.#output = output;
  }

  /**
   * Writes text.
   *
   * @param text The text, with its line breaks.
   */
  async write(text: string): Promise<void> {
    this.#text.push(text);
    this.#size += text.length;
    if (this.#size >= BUFFER_SIZE) await this.flush();
  }

  /**
   * Writes bytes as they are.
   *
   * @param bytes The bytes.
   */
  async writeBytes(bytes: Uint8Array): Promise<void> {
    await this.flush();
    await this.#output.write(bytes);
  }

  /** Writes what was gathered. */
  async flush(): Promise<void> {
    if (this.#size === 0) return;
    const text = this.#text.join("");
    this.#text = [];
    this.#size = 0;
    await this.#output.write(this.#encoder.encode(text));
  }
}
