import type { ProofCache } from "../options.ts";

/** Spans that are kept: of 4 TiB of large content. */
const COUNT_MAX = 65_536;

/** Chaining values of spans that were proved last. */
export class KeptProofs implements ProofCache {
  readonly #values = new Map<string, Uint8Array>();

  get(key: string): Uint8Array | undefined {
    const value = this.#values.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  set(key: string, value: Uint8Array): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size <= COUNT_MAX) return;
    const [oldest] = this.#values.keys();
    this.#values.delete(oldest);
  }
}
