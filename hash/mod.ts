/**
 * Names for bytes: ids, and what hashes bytes into them.
 *
 * ```ts
 * import { wasmHasher } from "@snap/hash";
 *
 * const id = wasmHasher.idOf(new TextEncoder().encode("hello"));
 * ```
 *
 * @module
 */

export * from "./hasher.ts";
export * from "./id.ts";
export * from "./wasm_hasher.ts";
