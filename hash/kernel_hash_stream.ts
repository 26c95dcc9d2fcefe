import {
  type Blake3Kernel,
  BLOCK_SIZE,
  type KernelMode,
} from "./blake3_kernel.ts";
import { checkBytes } from "./check_bytes.ts";
import { checkOut } from "./check_out.ts";
import { checkSize } from "./check_size.ts";
import type { HashStream } from "./hasher.ts";
import { type Id, idFromBytes } from "./id.ts";
import { SubtreeStack, type TreePart } from "./subtree_stack.ts";

/** A hash that keeps one block and one chaining value for each level. */
export class KernelHashStream implements HashStream {
  readonly #kernel: Blake3Kernel;
  readonly #stack: SubtreeStack;
  /** Bytes of the last block, made when first needed; may be a full block. */
  #pending: Uint8Array | undefined;
  #pendingSize = 0;

  constructor(kernel: Blake3Kernel, mode: KernelMode, part?: TreePart) {
    this.#kernel = kernel;
    this.#stack = new SubtreeStack(kernel, mode, part);
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
