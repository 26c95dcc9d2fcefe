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

/** Part of the tree that a stack makes. */
export interface TreePart {
  /** The block that it begins with: no sub-tree of the part reaches back over it. */
  readonly firstBlock: number;
  /** Flag of the last call: {@linkcode ROOT}, unless something stands above the part. */
  readonly rootFlag: number;
}

const WHOLE_TREE: TreePart = { firstBlock: 0, rootFlag: ROOT };

/**
 * The BLAKE3 tree above the blocks: the chaining values of full subtrees that
 * wait for their right sibling, as many as the block count has bits set.
 */
export class SubtreeStack {
  readonly #kernel: Blake3Kernel;
  readonly #mode: KernelMode;
  /** Made as the stack grows, and used again. */
  readonly #values: Uint8Array[] = [];
  readonly #part: TreePart;
  #depth = 0;
  #blockCount: number;

  constructor(
    kernel: Blake3Kernel,
    mode: KernelMode,
    part: TreePart = WHOLE_TREE,
  ) {
    this.#kernel = kernel;
    this.#mode = mode;
    this.#part = part;
    this.#blockCount = part.firstBlock;
  }

  /** Forgets every block. */
  reset(): void {
    this.#depth = 0;
    this.#blockCount = this.#part.firstBlock;
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
    const { rootFlag } = this.#part;
    const flag = this.#depth === 0 ? rootFlag : 0;
    this.#kernel.hash(size, this.#mode, this.#blockCount, flag);
    this.#joinAll();
  }

  /** Adds a full sub-tree whose chaining value is known, as large as all before it. It must not be the last. */
  addValue(value: Uint8Array): void {
    this.#kernel.out.set(value);
    this.#push(1);
  }

  /** Ends with a sub-tree whose chaining value is known, at least the second: as {@linkcode SubtreeStack.end}. */
  endValue(value: Uint8Array): void {
    this.#kernel.out.set(value);
    this.#joinAll();
  }

  /** Joins what waits with what is in the kernel's `out`, up to the top of the part. */
  #joinAll(): void {
    const kernel = this.#kernel;
    for (let i = this.#depth - 1; i >= 0; i--) {
      kernel.left.set(this.#values[i]);
      kernel.join(this.#mode, i === 0 ? this.#part.rootFlag : 0);
    }
  }
}
