/**
 * Names for bytes: ids, and what hashes bytes into them.
 *
 * Content is cut into chunks by `@snap/hash/chunk`, in streams by
 * `@snap/hash/chunk-stream`; `@snap/hash/check-bytes` refuses what is not bytes. A program that may load native code passes the
 * hasher of `@snap/hash/native` on instead of this one.
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
