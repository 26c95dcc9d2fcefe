// Bytes for tests. Not part of the package.
import { wasmHasher } from "@snap/hash/wasm-hasher";

/** Bytes of a name where each character stands for one byte. */
export function latin(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (one) => one.charCodeAt(0));
}

/** The id of content. */
export function contentId(bytes: Uint8Array): Uint8Array {
  const id = new Uint8Array(32);
  wasmHasher.hashInto(bytes, id);
  return id;
}

/** Bytes that compress badly and are the same in every run. */
export function noise(seed: number, size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let x = (seed * 2654435761) >>> 0 || 1;
  for (let i = 0; i < size; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    bytes[i] = x >>> 11;
  }
  return bytes;
}

/** A chunk or run of zeros as bytes. */
export function plainOf(chunks: readonly (Uint8Array | number)[]): Uint8Array {
  const parts = chunks.map((one) =>
    typeof one === "number" ? new Uint8Array(one) : one
  );
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const plain = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    plain.set(part, at);
    at += part.length;
  }
  return plain;
}
