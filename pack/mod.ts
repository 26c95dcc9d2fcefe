/**
 * Packs: objects gathered into frames, frames into packs, and the index that
 * tells what lies where.
 *
 * @example
 * ```ts
 * import { FrameBuilder, noneCodec, ObjectKind, PackRole, PackWriter } from "@snap/pack";
 * import { wasmHasher } from "@snap/hash";
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
 * @module
 */
export * from "./codec.ts";
export * from "./codecs.ts";
export * from "./content_reader.ts";
export * from "./errors.ts";
export * from "./file_name.ts";
export * from "./frame_builder.ts";
export * from "./frame_cache.ts";
export * from "./frame_decoders.ts";
export * from "./heap_frame_cache.ts";
export * from "./index_builder.ts";
export * from "./index_files.ts";
export * from "./index_table.ts";
export * from "./join_packs.ts";
export * from "./location.ts";
export * from "./lz4_codec.ts";
export * from "./none_codec.ts";
export * from "./object_index.ts";
export * from "./object_kind.ts";
export * from "./object_reader.ts";
export * from "./open_index.ts";
export * from "./pack_footer.ts";
export * from "./pack_set.ts";
export * from "./pack_stream.ts";
export * from "./pack_table.ts";
export * from "./pack_writer.ts";
export * from "./rebuild_index.ts";
export * from "./recipe.ts";
export * from "./recipe_builder.ts";
export * from "./recipe_place.ts";
export * from "./recipe_reader.ts";
export * from "./shared_frame_cache.ts";
export * from "./store_reader.ts";
export * from "./word_lock.ts";
export * from "./zstd_codec.ts";
