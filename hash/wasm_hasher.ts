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
import { contextNumber } from "./contexts.ts";
import { SubtreeStack } from "./subtree_stack.ts";
import { WasmHashStream } from "./wasm_hash_stream.ts";
import type { HashContext, Hasher, HashStream } from "./hasher.ts";
import { type Id, idFromBytes } from "./id.ts";

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
