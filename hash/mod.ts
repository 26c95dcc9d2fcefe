/**
 * Names for bytes: ids, and what hashes bytes into them.
 *
 * Content is cut into chunks by `@snap/hash/chunk`, in streams by
 * `@snap/hash/chunk`; `@snap/hash` refuses what is not bytes. A program that may load native code passes the
 * hasher of `@snap/hash/native` on instead of this one.
 *
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 *
 * const id = wasmHasher.idOf(new TextEncoder().encode("hello"));
 * ```
 *
 * @module
 */
export * from "./check_bytes.ts";
export * from "./hasher.ts";
export * from "./hex_of.ts";
export * from "./id.ts";
