import {
  type Blake3Kernel,
  BLOCK_SIZE,
  type KernelMode,
  ROOT,
} from "./_blake3_kernel.ts";
import { ID_SIZE } from "./id.ts";

/**
 * The BLAKE3 tree above the blocks: the chaining values of full subtrees that
 * wait for their right sibling, as many as the block count has bits set.
 */
export class SubtreeStack {
  readonly #kernel: Blake3Kernel;
  readonly #mode: KernelMode;
  /** Made as the stack grows, and used again. */
  readonly #values: Uint8Array[] = [];
  #depth = 0;
  #blockCount = 0;

  constructor(kernel: Blake3Kernel, mode: KernelMode) {
    this.#kernel = kernel;
    this.#mode = mode;
  }

  /** Forgets every block. */
  reset(): void {
    this.#depth = 0;
    this.#blockCount = 0;
  }

  /** Adds the full block in the kernel's input. It must not be the last. */
  add(): void {
    const kernel = this.#kernel;
    kernel.hash(BLOCK_SIZE, this.#mode, this.#blockCount, 0);
    this.#blockCount++;
    for (let n = this.#blockCount; n % 2 === 0; n /= 2) {
      kernel.left.set(this.#values[--this.#depth]);
      kernel.join(this.#mode, 0);
    }
    (this.#values[this.#depth++] ??= new Uint8Array(ID_SIZE)).set(kernel.out);
  }

  /**
   * Ends with the first `size` bytes of the kernel's input, none only if there
   * was no block: the root is in the kernel's `out`. The stack stays as it was.
   */
  end(size: number): void {
    const kernel = this.#kernel;
    const isRoot = this.#depth === 0;
    kernel.hash(size, this.#mode, this.#blockCount, isRoot ? ROOT : 0);
    for (let i = this.#depth - 1; i >= 0; i--) {
      kernel.left.set(this.#values[i]);
      kernel.join(this.#mode, i === 0 ? ROOT : 0);
    }
  }
}
