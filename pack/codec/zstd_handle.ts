import type * as zlib from "node:zlib";

/**
 * The handle of a stream of `node:zlib`. It is not documented, so it is tried
 * out before it is used, and only where it was measured: a wrong number of
 * arguments ends a Node process.
 */
interface ZlibHandle {
  /** On Node: parameters, plain size, write state, callback; on Deno: parameters, callback, plain size. */
  init(params: Uint32Array, ...rest: unknown[]): void;
  reset(): void;
  /** Leaves the room left in `to`, and what is left of `from`, in the state. */
  writeSync(
    flush: number,
    from: Uint8Array,
    start: number,
    size: number,
    to: Uint8Array,
    toStart: number,
    room: number,
  ): void;
  onerror(message: string): void;
  close(): void;
}

interface ZlibStream {
  readonly _handle: ZlibHandle;
  readonly _writeState: Uint32Array;
}

const NODE_MAJORS = ["22", "24"];
const CANARY = new TextEncoder().encode("snap");
// One raw block of four bytes in a frame that says so.
const CANARY_FRAME = Uint8Array.from(
  [0x28, 0xb5, 0x2f, 0xfd, 0x20, 4, 0x21, 0, 0, ...CANARY],
);

function isNode(): boolean {
  const { versions } = globalThis.process;
  return versions.deno === undefined &&
    NODE_MAJORS.includes(versions.node.split(".", 1)[0]);
}

function isKnown(): boolean {
  return globalThis.process.versions.deno !== undefined || isNode();
}

/** Opens what may not be there: `undefined` where it does not do as it should. */
function tryOpen<T>(open: () => T, isGood: (opened: T) => boolean) {
  try {
    const opened = open();
    return isGood(opened) ? opened : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps what a handle reports by a call back. */
class ZlibErrors {
  message: string | undefined;

  constructor(handle: ZlibHandle) {
    handle.onerror = (message) => void (this.message = message);
  }
}

/**
 * A decoder for many frames that writes to where they belong. Against
 * `zstdDecompressSync`, which makes a decoder and buffers for each call: 27 us
 * for 42 at 32 KiB on Deno, and 7 MB for 120 in a loop that does not yield.
 */
export class ZstdDecoder {
  readonly #stream: ZlibStream;
  readonly #errors: ZlibErrors;
  readonly #flush: number;

  private constructor({ createZstdDecompress, constants }: typeof zlib) {
    this.#stream = createZstdDecompress() as unknown as ZlibStream;
    this.#errors = new ZlibErrors(this.#stream._handle);
    this.#flush = constants.ZSTD_e_end;
  }

  /** Opens a decoder where the runtime is known to allow it. */
  static open(library: typeof zlib): ZstdDecoder | undefined {
    if (!isKnown()) return undefined;
    const out = new Uint8Array(CANARY.length);
    return tryOpen(
      () => new ZstdDecoder(library),
      (decoder) =>
        decoder.decompress(CANARY_FRAME, out) === undefined &&
        out.every((byte, i) => byte === CANARY[i]),
    );
  }

  /**
   * Fills exactly `out`. Returns what went wrong, else `undefined`; after that
   * the decoder is of no more use: Node reports the same error for ever.
   */
  decompress(stored: Uint8Array, out: Uint8Array): string | undefined {
    const { _handle: handle, _writeState: state } = this.#stream;
    const { length } = stored;
    handle.reset();
    try {
      handle.writeSync(this.#flush, stored, 0, length, out, 0, out.length);
    } catch (error) {
      return String(error);
    }
    if (this.#errors.message !== undefined) return this.#errors.message;
    if (state[0] !== 0) return `${state[0]} plain bytes are missing`;
    if (state[1] !== 0) return `${state[1]} stored bytes are left over`;
    return undefined;
  }

  /** Frees the memory of the decoder. */
  close(): void {
    this.#stream._handle.close();
  }
}

/**
 * An encoder for many frames, begun anew for each, as a reset forgets the plain
 * size. Against `zstdCompressSync`: 87 us for 95 at 40 KB and 10 MB for 40 to 80
 * in a loop that does not yield, on Deno; 8 MB for 500 on Node 22.
 */
export class ZstdEncoder {
  readonly #stream: ZlibStream;
  readonly #errors: ZlibErrors;
  readonly #params: Uint32Array;
  readonly #flush: number;
  readonly #isNode: boolean = isNode();
  #out: Uint8Array = new Uint8Array(0);

  private constructor(
    { createZstdCompress, constants }: typeof zlib,
    level: number,
  ) {
    const numbers = Object.entries(constants).filter(([name]) =>
      name.startsWith("ZSTD_c_")
    ).map(([, value]) => Number(value));
    // Upper bound for each parameter's number, and no value.
    this.#params = new Uint32Array(Math.max(...numbers) + 1).fill(0xffff_ffff);
    this.#params[constants.ZSTD_c_compressionLevel] = level;
    this.#stream = createZstdCompress() as unknown as ZlibStream;
    this.#errors = new ZlibErrors(this.#stream._handle);
    this.#flush = constants.ZSTD_e_end;
  }

  /** Opens an encoder where the runtime is known to allow it. */
  static open(library: typeof zlib, level: number): ZstdEncoder | undefined {
    if (!isKnown()) return undefined;
    const plain = new Uint8Array(1000);
    return tryOpen(
      () => new ZstdEncoder(library, level),
      (encoder) => {
        const stored = encoder.compress(plain);
        return stored !== undefined &&
          library.zstdDecompressSync(stored).length === plain.length;
      },
    );
  }

  /**
   * Compresses to memory that the next call uses again. Returns `undefined`
   * where the result would not be smaller.
   */
  compress(plain: Uint8Array): Uint8Array | undefined {
    const { _handle: handle, _writeState: state } = this.#stream;
    const { length } = plain;
    if (this.#out.length < length) this.#out = new Uint8Array(length);
    if (this.#isNode) handle.init(this.#params, length, state, nothing);
    else handle.init(this.#params, nothing, length);
    handle.writeSync(this.#flush, plain, 0, length, this.#out, 0, length);
    if (this.#errors.message !== undefined) {
      throw new TypeError(
        `Cannot compress as zstd fails: found ${this.#errors.message}`,
      );
    }
    if (state[1] !== 0 || state[0] === 0) return undefined;
    return this.#out.subarray(0, length - state[0]);
  }
}

function nothing(): void {}
