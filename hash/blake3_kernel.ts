import { CONTEXTS } from "./contexts.ts";
import { ID_SIZE } from "./id.ts";

/** Bytes that the kernel hashes in one call: a subtree of 64 chunks of 1 KiB. */
export const BLOCK_SIZE = 65_536;

// Where things are in the kernel's memory, as blake3.as says.
export const PAIR = 320;
export const OUT = 352;
const KEYS = 384;
export const INPUT = 4096;

const DERIVE_KEY_CONTEXT = 32;
const DERIVE_KEY_MATERIAL = 64;
const CHUNKS_A_BLOCK = 64;
const IV = Uint32Array.of(
  0x6a09e667,
  0xbb67ae85,
  0x3c6ef372,
  0xa54ff53a,
  0x510e527f,
  0x9b05688c,
  0x1f83d9ab,
  0x5be0cd19,
);

/** Added to the flags of the call that makes the root. */
export const ROOT = 8;

/** A mode of BLAKE3 in the kernel: where its key is, and its flags. */
export interface KernelMode {
  readonly key: number;
  readonly flags: number;
}

/** The code of a kernel, and the memory that it works on. */
export interface KernelCode {
  readonly memory: { readonly buffer: ArrayBuffer };
  subtree(
    size: number,
    key: number,
    flags: number,
    rootFlag: number,
    counterLow: number,
    counterHigh: number,
  ): void;
  parent(key: number, flags: number): void;
}

/**
 * The kernel and its memory, which never grows. It keeps no state between
 * calls but the keys, so that any number of streams share it.
 */
export class Blake3Kernel {
  /** The mode that content is hashed in. */
  readonly plain: KernelMode = { key: KEYS, flags: 0 };
  /** The modes of the contexts, by number. */
  readonly derive: readonly KernelMode[];
  /** Where the bytes to hash go, at most {@linkcode BLOCK_SIZE}. */
  readonly input: Uint8Array;
  /** Left chaining value of {@linkcode Blake3Kernel.join}. */
  readonly left: Uint8Array;
  /** Right chaining value of {@linkcode Blake3Kernel.join}, and every result. */
  readonly out: Uint8Array;
  readonly #code: KernelCode;

  constructor(code: KernelCode) {
    this.#code = code;
    const { buffer } = code.memory;
    this.input = new Uint8Array(buffer, INPUT, BLOCK_SIZE);
    this.left = new Uint8Array(buffer, PAIR, ID_SIZE);
    this.out = new Uint8Array(buffer, OUT, ID_SIZE);
    const words = new DataView(buffer);
    IV.forEach((word, i) => words.setUint32(KEYS + 4 * i, word, true));
    this.derive = CONTEXTS.map((context, i) => this.#deriveMode(context, i));
  }

  /**
   * Hashes the first `size` bytes of the input, the block after `blockCount`
   * full ones, into `out`.
   */
  hash(
    size: number,
    mode: KernelMode,
    blockCount: number,
    rootFlag: number,
  ): void {
    const chunkCount = blockCount * CHUNKS_A_BLOCK;
    const high = Math.floor(chunkCount / 2 ** 32);
    this.#code.subtree(
      size,
      mode.key,
      mode.flags,
      rootFlag,
      chunkCount | 0,
      high,
    );
  }

  /** Joins `left` and `out` into `out`. */
  join(mode: KernelMode, rootFlag: number): void {
    this.#code.parent(mode.key, mode.flags | rootFlag);
  }

  #deriveMode(context: string, number: number): KernelMode {
    const key = KEYS + ID_SIZE * (number + 1);
    const { written } = new TextEncoder().encodeInto(context, this.input);
    const mode = { key: this.plain.key, flags: DERIVE_KEY_CONTEXT };
    this.hash(written, mode, 0, ROOT);
    new Uint8Array(this.input.buffer, key, ID_SIZE).set(this.out);
    return { key, flags: DERIVE_KEY_MATERIAL };
  }
}
