import {
  type Blake3Kernel,
  BLOCK_SIZE,
  type KernelMode,
  ROOT,
} from "./blake3_kernel.ts";
import { ID_SIZE } from "./id.ts";
import { ZERO_SUBTREE_BLOCKS, zeroSubtree } from "./zero_subtrees.ts";

/** Most blocks of zeros that are hashed at once: 1 MiB. */
const ZERO_BLOCKS_MAX = 16;

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
    this.#kernel.hash(BLOCK_SIZE, this.#mode, this.#blockCount, 0);
    this.#push(1);
  }

  /**
   * Adds full blocks of zeros, up to so many. None of them may be the last. What
   * fills a sub-tree that is known costs nothing but its joins.
   *
   * @returns How many were added: fewer where it would take long.
   */
  addZeros(count: number): number {
    const kernel = this.#kernel;
    kernel.input.fill(0);
    let added = 0;
    for (let hashed = 0; added < count && hashed < ZERO_BLOCKS_MAX;) {
      const known = count - added < ZERO_SUBTREE_BLOCKS ||
          this.#mode !== kernel.plain
        ? undefined
        : zeroSubtree(this.#blockCount);
      if (known === undefined) {
        this.add();
        hashed++;
        added++;
      } else {
        kernel.out.set(known);
        this.#push(ZERO_SUBTREE_BLOCKS);
        added += ZERO_SUBTREE_BLOCKS;
      }
    }
    return added;
  }

  /** Takes the full sub-tree of so many blocks whose chaining value is in the kernel's `out`. */
  #push(count: number): void {
    const kernel = this.#kernel;
    this.#blockCount += count;
    for (let n = this.#blockCount / count; n % 2 === 0; n /= 2) {
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
