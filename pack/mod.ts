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
export * from "./errors.ts";
export * from "./frame_builder.ts";
export * from "./join_packs.ts";
export * from "./lz4_codec.ts";
export * from "./none_codec.ts";
export * from "./object_kind.ts";
export * from "./pack_footer.ts";
export * from "./pack_table.ts";
export * from "./pack_writer.ts";
export * from "./zstd_codec.ts";
