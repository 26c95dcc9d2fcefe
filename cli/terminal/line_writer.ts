import type { Output } from "../context.ts";

/** Bytes that are gathered before they are written. */
const BUFFER_SIZE = 64 * 1024;

/** Writes lines to an {@linkcode Output}, many at once where nobody watches. */
export class LineWriter {
  readonly #output: Output;
  readonly #encoder = new TextEncoder();
  #text: string[] = [];
  #size = 0;
  #chain: Promise<void> = Promise.resolve();

  constructor(output: Output) {
    this.#output = output;
  }

  /** Writes text. */
  async write(text: string): Promise<void> {
    this.#text.push(text);
    this.#size += text.length;
    if (this.#size < BUFFER_SIZE) return;
    this.#start();
    await this.#chain;
  }

  /** Writes bytes as they are. */
  async writeBytes(bytes: Uint8Array): Promise<void> {
    this.#start();
    this.#add(bytes);
    await this.#chain;
  }

  /** Writes what was gathered. */
  async flush(): Promise<void> {
    this.#start();
    await this.#chain;
  }

  #start(): void {
    if (this.#size === 0) return;
    const text = this.#text.join("");
    this.#text = [];
    this.#size = 0;
    this.#add(this.#encoder.encode(text));
  }

  #add(bytes: Uint8Array): void {
    this.#chain = this.#chain.then(() => this.#output.write(bytes));
    this.#chain.catch(() => {}); // Who waits hears of it.
  }
}
