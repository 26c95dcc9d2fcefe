import {
  type Blake3Kernel,
  BLOCK_SIZE,
  type KernelMode,
  ROOT,
} from "./blake3_kernel.ts";
import { checkBytes } from "./check_bytes.ts";
import { checkOut } from "./check_out.ts";
import { contextNumber } from "./contexts.ts";
import type { HashContext, Hasher, HasherName, HashStream } from "./hasher.ts";
import { type Id, idFromBytes } from "./id.ts";
import { SubtreeStack } from "./subtree_stack.ts";
import { KernelHashStream } from "./kernel_hash_stream.ts";

/** A hasher by a kernel, which is made when it is first used. */
export class KernelHasher implements Hasher {
  readonly name: HasherName;
  readonly #kernel: () => Blake3Kernel;
  /** Stacks for content above one block, by mode: reset and used again. */
  readonly #stacks = new Map<KernelMode, SubtreeStack>();

  constructor(name: HasherName, kernel: () => Blake3Kernel) {
    this.name = name;
    this.#kernel = kernel;
  }

  hashInto(bytes: Uint8Array, out: Uint8Array, outOffset = 0): void {
    checkBytes(bytes, "content");
    checkOut(out, outOffset);
    const kernel = this.#kernel();
    this.#hash(kernel, kernel.plain, bytes);
    out.set(kernel.out, outOffset);
  }

  deriveInto(
    context: HashContext,
    bytes: Uint8Array,
    out: Uint8Array,
    outOffset = 0,
  ): void {
    checkBytes(bytes, "content");
    checkOut(out, outOffset);
    const kernel = this.#kernel();
    this.#hash(kernel, kernel.derive[contextNumber(context)], bytes);
    out.set(kernel.out, outOffset);
  }

  idOf(bytes: Uint8Array): Id {
    checkBytes(bytes, "content");
    const kernel = this.#kernel();
    this.#hash(kernel, kernel.plain, bytes);
    return idFromBytes(kernel.out);
  }

  stream(): HashStream {
    const kernel = this.#kernel();
    return new KernelHashStream(kernel, kernel.plain);
  }

  sparseStream(): HashStream {
    return this.stream();
  }

  deriveStream(context: HashContext): HashStream {
    const kernel = this.#kernel();
    return new KernelHashStream(kernel, kernel.derive[contextNumber(context)]);
  }

  /** Hashes bytes into the kernel's `out`. */
  #hash(kernel: Blake3Kernel, mode: KernelMode, bytes: Uint8Array): void {
    if (bytes.length <= BLOCK_SIZE) {
      kernel.input.set(bytes);
      kernel.hash(bytes.length, mode, 0, ROOT);
      return;
    }
    let stack = this.#stacks.get(mode);
    if (stack === undefined) {
      this.#stacks.set(mode, stack = new SubtreeStack(kernel, mode));
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
}
