/**
 * Packs: objects gathered into frames, frames into packs, and the index that
 * tells what lies where.
 *
 * @example
 * ```ts
 * import { FrameBuilder } from "@snap/pack/write";
 * import { noneCodec } from "@snap/pack/codecs";
 * import { ObjectKind, PackRole } from "@snap/pack";
 * import { PackWriter } from "@snap/pack/write";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { equal } from "node:assert/strict";
 *
 * const parts: Uint8Array[] = [];
 * const writer = new PackWriter({
 *   sink: { write: (bytes) => void parts.push(bytes.slice()) },
 *   role: PackRole.data,
 *   saveId: new Uint8Array(16),
 *   salt: crypto.getRandomValues(new Uint8Array(32)),
 *   codec: noneCodec,
 *   hasher: wasmHasher,
 * });
 * const frame = new FrameBuilder();
 * const plain = new TextEncoder().encode("hello");
 * const id = new Uint8Array(32);
 * wasmHasher.hashInto(plain, id);
 * frame.add(plain, id, 0, ObjectKind.content);
 * writer.addFrame(frame.plain(), frame.rows);
 * equal(writer.finish().table.objectCount, 1);
 * ```
 *
 * The parts have entry points of their own:
 *
 * - `@snap/pack/codecs`: how frames are compressed: every codec, and decoders of the system
 * - `@snap/pack/index-writer`: the index as it is written: built of packs, merged of tables
 * - `@snap/pack/read`: objects read from a store: located, decoded, checked once, other copies tried
 * - `@snap/pack/stream`: objects in, packs out, as a stream
 * - `@snap/pack/write`: objects written into a store: the writer and its sinks, frames, packs, tables
 *
 * @module
 */
export * from "./errors.ts";
export { packName } from "./file_name.ts";
export type { IndexedPack, Location, PageRequest } from "./location.ts";
export * from "./object_kind.ts";
/** @internal */
export {
  isCopyDamage,
  isDocumentFault,
  isFileDamage,
  isObjectFault,
} from "./faults.ts";
/** @internal */
export { INDEX_PREFIX, indexIdOf, PACK_PREFIX } from "./file_name.ts";
/** @internal */
export { isPageRequest } from "./location.ts";
