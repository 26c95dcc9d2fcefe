/**
 * A hasher by its name, of which nothing is loaded before it is asked for: a
 * program tells its workers which hasher it has, and each loads the same one.
 *
 * ```ts
 * import { hasherNamed } from "@snap/hash/named";
 * import assert from "node:assert/strict";
 *
 * const hasher = await hasherNamed("wasm");
 * assert.equal(hasher.name, "wasm");
 * ```
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */

import type { Hasher, HasherName } from "./hasher.ts";

/**
 * Loads a hasher.
 *
 * @param name Name of the hasher, as {@linkcode Hasher.name} gives it.
 * @returns The hasher of this thread.
 * @throws {NativeHasherError} If native code is asked for and cannot be loaded.
 */
export async function hasherNamed(name: HasherName): Promise<Hasher> {
  if (name === "wasm") return (await import("./wasm_hasher.ts")).wasmHasher;
  if (name === "js") return (await import("./js_hasher.ts")).jsHasher;
  return (await import("./native.ts")).nativeHasher();
}
