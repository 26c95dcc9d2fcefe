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
 * - `@snap/pack/cache`: decoded frames, in memory of one thread or of several
 * - `@snap/pack/codecs`: how frames are compressed: every codec, and decoders of the system
 * - `@snap/pack/index`: the index as it is looked into: tables, pages, sets of packs
 * - `@snap/pack/index-writer`: the index as it is written: built of packs, merged of tables
 * - `@snap/pack/objects`: objects for those who may not wait
 * - `@snap/pack/ranges`: ranges of the files of a store
 * - `@snap/pack/read`: objects read from a store: located, decoded, checked once, other copies tried
 * - `@snap/pack/recipe`: recipes of large content: nodes, and how they are walked
 * - `@snap/pack/recipe-content`: large content read from start to end without a wait
 * - `@snap/pack/recipe-writer`: recipes of large content as they are made
 * - `@snap/pack/sink`: objects in, pack files out: the half of the writer that each thread has
 * - `@snap/pack/stream`: objects in, packs out, as a stream
 * - `@snap/pack/write`: objects written into a store: the writer and its sinks, frames, packs, tables
 *
 * @module
 */
export * from "./errors.ts";
export * from "./faults.ts";
export * from "./file_name.ts";
export * from "./location.ts";
export * from "./object_kind.ts";
