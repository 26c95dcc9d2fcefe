/**
 * The hasher that runs everywhere: a BLAKE3 kernel of four lanes in WebAssembly
 * SIMD.
 *
 * @module
 */

import { checkBytes } from "./check_bytes.ts";
import {
  type Blake3Kernel,
  blake3Kernel,
  BLOCK_SIZE,
  type KernelMode,
  ROOT,
} from "./blake3_kernel.ts";
import { checkOut } from "./check_out.ts";
import { checkSize } from "./check_size.ts";
import { contextNumber } from "./contexts.ts";
import { SubtreeStack } from "./subtree_stack.ts";
import type { HashContext, Hasher, HashStream } from "./hasher.ts";
import { type Id, idFromBytes } from "./id.ts";

/** A stream that keeps one block and one chaining value for each level. */
class WasmHashStream implements HashStream {
  readonly #kernel: Blake3Kernel;
  readonly #stack: SubtreeStack;
  /** Bytes of the last block, made when first needed; may be a full block. */
  #pending: Uint8Array | undefined;
  #pendingSize = 0;

  constructor(kernel: Blake3Kernel, mode: KernelMode) {
    this.#kernel = kernel;
    this.#stack = new SubtreeStack(kernel, mode);
  }

  reset(): void {
    this.#stack.reset();
    this.#pendingSize = 0;
  }

  update(bytes: Uint8Array): void {
    checkBytes(bytes, "content");
    const { input } = this.#kernel;
    let start = 0;
    while (bytes.length - start > BLOCK_SIZE - this.#pendingSize) {
      const space = BLOCK_SIZE - this.#pendingSize;
      if (this.#pendingSize > 0) {
        input.set(this.#pending!.subarray(0, this.#pendingSize));
      }
      input.set(bytes.subarray(start, start + space), this.#pendingSize);
      this.#stack.add();
      this.#pendingSize = 0;
      start += space;
    }
    this.#pending ??= new Uint8Array(BLOCK_SIZE);
    const rest = start === 0 ? bytes : bytes.subarray(start);
    this.#pending.set(rest, this.#pendingSize);
    this.#pendingSize += rest.length;
  }

  updateZeros(size: number): number {
    checkSize(size);
    const pending = this.#pending ??= new Uint8Array(BLOCK_SIZE);
    let left = size;
    const space = BLOCK_SIZE - this.#pendingSize;
    if (this.#pendingSize > 0 && left > space) {
      this.#kernel.input.set(pending.fill(0, this.#pendingSize));
      this.#stack.add();
      this.#pendingSize = 0;
      left -= space;
    }
    // The last block waits, full or not.
    const count = Math.ceil((this.#pendingSize + left) / BLOCK_SIZE) - 1;
    const added = count > 0 ? this.#stack.addZeros(count) : 0;
    left -= added * BLOCK_SIZE;
    if (added < count) return size - left;
    pending.fill(0, this.#pendingSize, this.#pendingSize + left);
    this.#pendingSize += left;
    return size;
  }

  digestInto(out: Uint8Array, outOffset = 0): void {
    checkOut(out, outOffset);
    this.#end();
    out.set(this.#kernel.out, outOffset);
  }

  digest(): Id {
    this.#end();
    return idFromBytes(this.#kernel.out);
  }

  #end(): void {
    if (this.#pendingSize > 0) {
      this.#kernel.input.set(this.#pending!.subarray(0, this.#pendingSize));
    }
    this.#stack.end(this.#pendingSize);
  }
}

/** Stacks for content above one block, by mode: reset and used again. */
const stacks = new Map<KernelMode, SubtreeStack>();

/** Hashes bytes into the kernel's `out`. */
function hash(kernel: Blake3Kernel, mode: KernelMode, bytes: Uint8Array): void {
  if (bytes.length <= BLOCK_SIZE) {
    kernel.input.set(bytes);
    kernel.hash(bytes.length, mode, 0, ROOT);
    return;
  }
  let stack = stacks.get(mode);
  if (stack === undefined) {
    stacks.set(mode, stack = new SubtreeStack(kernel, mode));
  }
  stack.reset();
  let start = 0;
  for (; bytes.length - start > BLOCK_SIZE; start += BLOCK_SIZE) {
    kernel.input.set(bytes.subarray(start, start + BLOCK_SIZE));
    stack.add();
  }
  kernel.input.set(bytes.subarray(start));
  stack.end(bytes.length - start);
}

/**
 * The portable hasher. The first hash makes its code ready, without waiting.
 *
 * @example
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 *
 * const stream = wasmHasher.stream();
 * stream.update(new TextEncoder().encode("hel"));
 * stream.update(new TextEncoder().encode("lo"));
 * const id = stream.digest();
 * ```
 */
export const wasmHasher: Hasher = {
  name: "wasm",

  hashInto(bytes: Uint8Array, out: Uint8Array, outOffset = 0): void {
    checkBytes(bytes, "content");
    checkOut(out, outOffset);
    const kernel = blake3Kernel();
    hash(kernel, kernel.plain, bytes);
    out.set(kernel.out, outOffset);
  },

  deriveInto(
    context: HashContext,
    bytes: Uint8Array,
    out: Uint8Array,
    outOffset = 0,
  ): void {
    checkBytes(bytes, "content");
    checkOut(out, outOffset);
    const kernel = blake3Kernel();
    hash(kernel, kernel.derive[contextNumber(context)], bytes);
    out.set(kernel.out, outOffset);
  },

  idOf(bytes: Uint8Array): Id {
    checkBytes(bytes, "content");
    const kernel = blake3Kernel();
    hash(kernel, kernel.plain, bytes);
    return idFromBytes(kernel.out);
  },

  stream(): HashStream {
    const kernel = blake3Kernel();
    return new WasmHashStream(kernel, kernel.plain);
  },

  sparseStream(): HashStream {
    return this.stream();
  },

  deriveStream(context: HashContext): HashStream {
    const kernel = blake3Kernel();
    return new WasmHashStream(kernel, kernel.derive[contextNumber(context)]);
  },
};
