/**
 * Content hashed in parts, in any order and on any thread: chaining values of
 * spans of 64 MiB, and the id that they join to.
 *
 * ```ts
 * import { idFromBytes } from "@snap/hash";
 * import { BlakeSpan, joinSpans, SPAN_SIZE } from "@snap/hash/blake-span";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { strictEqual } from "node:assert/strict";
 *
 * const content = new Uint8Array(SPAN_SIZE + 5).fill(7);
 * const values = new Uint8Array(64);
 * const last = new BlakeSpan(SPAN_SIZE);
 * last.update(content.subarray(SPAN_SIZE));
 * last.valueInto(values, 32);
 * const first = new BlakeSpan(0);
 * first.update(content.subarray(0, SPAN_SIZE));
 * first.valueInto(values, 0);
 * const id = new Uint8Array(32);
 * joinSpans(values, id);
 * strictEqual(idFromBytes(id), wasmHasher.idOf(content));
 * ```
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
import { BLOCK_SIZE, type KernelMode } from "./blake3_kernel.ts";
import { wasmKernel } from "./wasm_kernel.ts";
import { checkBytes } from "./check_bytes.ts";
import { checkOut } from "./check_out.ts";
import { contextNumber } from "./contexts.ts";
import type { HashContext } from "./hasher.ts";
import { ID_SIZE } from "./id.ts";
import { SubtreeStack } from "./subtree_stack.ts";
import { KernelHashStream } from "./kernel_hash_stream.ts";

/** Bytes of a span; the last one of an object may have fewer. */
export const SPAN_SIZE: number = 64 * 1024 * 1024;

/**
 * The hash of one span of an object that has several: a chaining value of BLAKE3
 * that is not the root. It follows from the bytes and their place alone.
 */
export class BlakeSpan {
  readonly #stream: KernelHashStream;
  #size = 0;

  /**
   * Begins a span.
   *
   * @param offset Where it begins in the object, a multiple of {@linkcode SPAN_SIZE}.
   * @param context The context of the object's kind; none for content.
   * @throws {RangeError} If no span begins there.
   */
  constructor(offset: number, context?: HashContext) {
    if (!Number.isSafeInteger(offset) || offset < 0 || offset % SPAN_SIZE > 0) {
      throw new RangeError(
        `Cannot hash a span at ${offset}: spans begin at multiples of ${SPAN_SIZE}`,
      );
    }
    this.#stream = new KernelHashStream(wasmKernel(), modeOf(context), {
      firstBlock: offset / BLOCK_SIZE,
      rootFlag: 0,
    });
  }

  /**
   * Takes the next bytes.
   *
   * @param bytes The next bytes; the caller may change them afterwards.
   * @throws {RangeError} If the span has fewer.
   */
  update(bytes: Uint8Array): void {
    checkBytes(bytes, "content");
    this.#count(bytes.length);
    this.#stream.update(bytes);
  }

  /**
   * Takes the next bytes, all of them zero; it may leave off early, so that no
   * call takes long.
   *
   * @param size How many there are.
   * @returns How many were taken, at least 1 unless there were none.
   * @throws {RangeError} If the span has fewer.
   */
  updateZeros(size: number): number {
    this.#count(size);
    const taken = this.#stream.updateZeros(size);
    this.#size += taken - size;
    return taken;
  }

  /**
   * Gives the chaining value of what came so far.
   *
   * @param out Receives 32 bytes.
   * @param outOffset Where they go in `out`, 0 if left out.
   * @throws {RangeError} If no byte came, or `out` has no 32 bytes at `outOffset`.
   */
  valueInto(out: Uint8Array, outOffset = 0): void {
    if (this.#size === 0) {
      throw new RangeError(
        "Cannot hash a span of no bytes",
      );
    }
    this.#stream.digestInto(out, outOffset);
  }

  #count(size: number): void {
    if (this.#size + size > SPAN_SIZE) {
      throw new RangeError(
        `Cannot hash a span of ${
          this.#size + size
        } bytes: it has at most ${SPAN_SIZE}`,
      );
    }
    this.#size += size;
  }
}

/**
 * Joins the chaining values of all spans of an object into its id. An object of
 * one span has no such value: it is hashed as it is.
 *
 * @param values 32 bytes of each span, in order, at least 2; all spans but the last are full.
 * @param out Receives the 32 bytes of the id.
 * @param context The context of the object's kind; none for content.
 * @throws {RangeError} If there are fewer than 2 values, or `out` has no 32 bytes.
 */
export function joinSpans(
  values: Uint8Array,
  out: Uint8Array,
  context?: HashContext,
): void {
  checkBytes(values, "content");
  checkOut(out, 0);
  const last = values.length - ID_SIZE;
  if (last < ID_SIZE || last % ID_SIZE > 0) {
    throw new RangeError(
      `Cannot join ${values.length} bytes: 2 spans or more have 32 bytes each`,
    );
  }
  const kernel = wasmKernel();
  const stack = new SubtreeStack(kernel, modeOf(context));
  for (let at = 0; at < last; at += ID_SIZE) {
    stack.addValue(values.subarray(at, at + ID_SIZE));
  }
  stack.endValue(values.subarray(last));
  out.set(kernel.out);
}

function modeOf(context: HashContext | undefined): KernelMode {
  const kernel = wasmKernel();
  return context === undefined
    ? kernel.plain
    : kernel.derive[contextNumber(context)];
}
