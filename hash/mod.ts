/**
 * Names for bytes: ids, and what hashes bytes into them.
 *
 * Content is cut into chunks by `@snap/hash/chunk`. The hasher that runs everywhere
 * is `@snap/hash/wasm-hasher`; a program that may load native code passes that of
 * `@snap/hash/native` on instead, and `@snap/hash/js-hasher` does without WebAssembly.
 *
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 *
 * const id = wasmHasher.idOf(new TextEncoder().encode("hello"));
 * ```
 *
 * @module
 */
export * from "./hash_stream.ts";
export * from "./hasher.ts";
export * from "./hex_of.ts";
export {
  equalBytes,
  type Id,
  ID_SIZE,
  idFromBytes,
  idToBytes,
  isId,
  parseId,
} from "./id.ts";
/** @internal */
export {
  argumentError,
  type ArgumentNeed,
  checkFields,
  checkHasher,
  checkTextOrBytes,
  describeValue,
  type FieldsNeed,
  type NamedArgument,
} from "./check_argument.ts";
/** @internal */
export { checkBytes } from "./check_bytes.ts";
/** @internal */
export { compareBytes } from "./id.ts";
