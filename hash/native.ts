/**
 * The hasher for programs that may load native code: the BLAKE3 of
 * `@napi-rs/blake-hash`. From 64 KiB on it is four to five times as fast as the
 * portable one, which hashes what is no larger than 1 KiB here too
 * (`bench/hash_bench.ts` prints the figures).
 *
 * Import this module where it is wanted, by `import()`: it loads the native code,
 * for which Deno wants `--allow-ffi --allow-sys --allow-read`.
 *
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 *
 * const { nativeHasher } = await import("@snap/hash/native");
 * const content = new Uint8Array(1000);
 * const same = nativeHasher().idOf(content) === wasmHasher.idOf(content);
 * ```
 *
 * @module
 */

import { checkBytes } from "./check_bytes.ts";
import { checkOut } from "./check_out.ts";
import { checkSize } from "./check_size.ts";
import { contextNumber, CONTEXTS } from "./contexts.ts";
import type { HashContext, Hasher, HashStream } from "./hasher.ts";
import { type Id, ID_SIZE, idFromBytes } from "./id.ts";
import { wasmHasher } from "./wasm_hasher.ts";

/** A hasher of the native code. Its strings are garbage like any other. */
interface NativeBlake3 {
  reset(): void;
  update(bytes: Uint8Array): unknown;
  digest(format: "hex" | "base64"): string;
}

/**
 * The part of the native code that is used. Not `blake3()`, `digestBuffer()`, `deriveKey()`
 * or a new hasher for each call: what these make is freed by the event loop only.
 */
interface NativeCode {
  blake3UrlSafeBase64(bytes: Uint8Array): string;
  readonly Blake3Hasher: {
    new (): NativeBlake3;
    newDeriveKey(context: string): NativeBlake3;
  };
}

/** Thrown when the native code cannot be loaded; `cause` says why. */
export class NativeHasherError extends Error {
  /** Says why, as far as it is known. */
  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      `Cannot hash natively: @napi-rs/blake-hash does not load: ${reason}`,
      { cause },
    );
    this.name = "NativeHasherError";
  }
}

let code: NativeCode | undefined;
let failure: unknown;
try {
  code = await import("@napi-rs/blake-hash") as unknown as NativeCode;
} catch (error) {
  failure = error;
}

/** Largest content that is hashed by the portable hasher: a call of native code costs more. */
const PORTABLE_SIZE_MAX = 1024;

const BASE64_SIZE = 43;
const VALUES = new Uint8Array(128);
"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
  .split("").forEach((digit, i) => {
    VALUES[digit.charCodeAt(0)] = i < 64 ? i : i - 2;
  });

/** Decodes 32 bytes from either alphabet of base64. */
function decodeInto(text: string, out: Uint8Array, outOffset: number): void {
  let bits = 0;
  let count = 0;
  for (let i = 0, o = outOffset; i < BASE64_SIZE; i++) {
    bits = bits << 6 | VALUES[text.charCodeAt(i)];
    count += 6;
    if (count >= 8) {
      count -= 8;
      out[o++] = bits >> count;
    }
  }
}

/** Stands for zeros; nobody writes to it. */
const ZEROS = new Uint8Array(1024 * 1024);

class NativeHashStream implements HashStream {
  readonly #native: NativeBlake3;

  constructor(native: NativeBlake3) {
    this.#native = native;
  }

  reset(): void {
    this.#native.reset();
  }

  update(bytes: Uint8Array): void {
    checkBytes(bytes, "content");
    this.#native.update(bytes);
  }

  updateZeros(size: number): number {
    checkSize(size);
    const taken = Math.min(size, ZEROS.length);
    this.#native.update(ZEROS.subarray(0, taken));
    return taken;
  }

  digestInto(out: Uint8Array, outOffset = 0): void {
    checkOut(out, outOffset);
    decodeInto(this.#native.digest("base64"), out, outOffset);
  }

  digest(): Id {
    return this.#native.digest("hex") as Id;
  }
}

class NativeHasher implements Hasher {
  readonly name = "native";
  readonly #code: NativeCode;
  /** One for each context, reset before each use. */
  readonly #derive: readonly NativeBlake3[];
  readonly #idBytes = new Uint8Array(ID_SIZE);

  constructor(code: NativeCode) {
    this.#code = code;
    this.#derive = CONTEXTS.map((context) =>
      code.Blake3Hasher.newDeriveKey(context)
    );
  }

  hashInto(bytes: Uint8Array, out: Uint8Array, outOffset = 0): void {
    checkBytes(bytes, "content");
    if (bytes.length <= PORTABLE_SIZE_MAX) {
      wasmHasher.hashInto(bytes, out, outOffset);
      return;
    }
    checkOut(out, outOffset);
    decodeInto(this.#code.blake3UrlSafeBase64(bytes), out, outOffset);
  }

  deriveInto(
    context: HashContext,
    bytes: Uint8Array,
    out: Uint8Array,
    outOffset = 0,
  ): void {
    checkBytes(bytes, "content");
    if (bytes.length <= PORTABLE_SIZE_MAX) {
      wasmHasher.deriveInto(context, bytes, out, outOffset);
      return;
    }
    checkOut(out, outOffset);
    const native = this.#derive[contextNumber(context)];
    native.reset();
    native.update(bytes);
    decodeInto(native.digest("base64"), out, outOffset);
  }

  idOf(bytes: Uint8Array): Id {
    this.hashInto(bytes, this.#idBytes);
    return idFromBytes(this.#idBytes);
  }

  stream(): HashStream {
    return new NativeHashStream(new this.#code.Blake3Hasher());
  }

  sparseStream(): HashStream {
    // The native code takes no sub-tree that is known already.
    return wasmHasher.sparseStream();
  }

  deriveStream(context: HashContext): HashStream {
    const known = CONTEXTS[contextNumber(context)];
    return new NativeHashStream(this.#code.Blake3Hasher.newDeriveKey(known));
  }
}

let hasher: Hasher | undefined;

/**
 * The hasher of the native code, one for each thread.
 *
 * @throws {NativeHasherError} If the native code could not be loaded: it is not
 * installed, not made for this machine, or not allowed.
 */
export function nativeHasher(): Hasher {
  if (code === undefined) throw new NativeHasherError(failure);
  return hasher ??= new NativeHasher(code);
}
