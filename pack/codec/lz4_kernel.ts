import { LZ4_WASM } from "./lz4_wasm.ts";

/** Exports of the WebAssembly module: see `_kernel/lz4.as`. */
interface Lz4Exports {
  readonly memory: WebAssembly.Memory;
  compress(from: number, size: number, to: number): number;
  decompress(from: number, size: number, to: number, plainSize: number): number;
}

// The kernel's table lies below. Copies may pass their end by SLACK bytes.
const DATA = 128 << 10;
const SLACK = 64;
const PAGE_SIZE = 64 << 10;

/** Largest size that `plainSize` bytes can have when compressed. */
export function boundOf(plainSize: number): number {
  return plainSize + Math.floor(plainSize / 255) + 16;
}

/** The LZ4 kernel with its own memory, for one thread. */
export class Lz4Kernel {
  readonly #kernel: Lz4Exports;
  #memory: Uint8Array<ArrayBuffer>;

  constructor() {
    const module = new WebAssembly.Module(bytesOf(LZ4_WASM));
    const { exports } = new WebAssembly.Instance(module);
    this.#kernel = exports as unknown as Lz4Exports;
    this.#memory = new Uint8Array(this.#kernel.memory.buffer);
  }

  /** Compresses to a view of the kernel's memory, good until the next call. */
  compress(plain: Uint8Array): Uint8Array {
    const to = DATA + plain.length + SLACK;
    this.#reserve(to + boundOf(plain.length) + SLACK);
    this.#memory.set(plain, DATA);
    const size = this.#kernel.compress(DATA, plain.length, to);
    return this.#memory.subarray(to, to + size);
  }

  /** Fills exactly `out`; returns -1, or the offset at which `stored` is damaged. */
  decompress(stored: Uint8Array, out: Uint8Array): number {
    const to = DATA + stored.length + SLACK;
    this.#reserve(to + out.length + SLACK);
    this.#memory.set(stored, DATA);
    const end = this.#kernel.decompress(DATA, stored.length, to, out.length);
    if (end < 0) return ~end;
    out.set(this.#memory.subarray(to, to + out.length));
    return -1;
  }

  #reserve(size: number): void {
    const missing = size - this.#memory.length;
    if (missing <= 0) return;
    this.#kernel.memory.grow(Math.ceil(missing / PAGE_SIZE));
    this.#memory = new Uint8Array(this.#kernel.memory.buffer);
  }
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (digit) => digit.charCodeAt(0));
}
