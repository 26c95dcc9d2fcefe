import type { Hasher } from "./hasher.ts";
import type { Id } from "./id.ts";

/**
 * Hashes content that comes in pieces.
 *
 * @example
 * ```ts
 * import { hashStream } from "@snap/hash";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { strictEqual } from "node:assert/strict";
 *
 * const blob = new Blob(["hello"]);
 * const id = await hashStream(blob.stream(), wasmHasher);
 * strictEqual(id, wasmHasher.idOf(new TextEncoder().encode("hello")));
 * ```
 *
 * @param pieces The content, such as the body of a response.
 * @param hasher What hashes it.
 * @returns Its id.
 * @throws What the stream fails with.
 */
export async function hashStream(
  pieces: AsyncIterable<Uint8Array>,
  hasher: Hasher,
): Promise<Id> {
  const hash = hasher.stream();
  for await (const piece of pieces) hash.update(piece);
  return hash.digest();
}
