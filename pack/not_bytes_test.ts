import { rejects, throws } from "node:assert/strict";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { MemoryStore } from "@snap/store/memory";
import { indexName, packName } from "./file_name.ts";
import { FrameBuilder } from "./write/frame_builder.ts";
import { lz4Codec } from "./codec/lz4_codec.ts";
import { noneCodec } from "./codec/none_codec.ts";
import { RecipeNode } from "./recipe/recipe.ts";
import { RecipeBuilder } from "./recipe/recipe_builder.ts";
import { openStoreReader } from "./read/store_reader.ts";
import { zstdCodec } from "./codec/zstd_codec.ts";

const OTHERS = ["a".repeat(32), undefined, [1, 2], new ArrayBuffer(32)];

Deno.test("pack: what is not bytes is a TypeError", async () => {
  const bytes = new Uint8Array(32);
  await using reader = await openStoreReader(new MemoryStore(), {
    hasher: wasmHasher,
  });
  for (const value of OTHERS as unknown as Uint8Array[]) {
    const recipe = new RecipeBuilder({ hasher: wasmHasher, onNode: () => {} });
    const calls: (() => unknown)[] = [
      ...[zstdCodec(), lz4Codec, noneCodec].flatMap((codec) => [
        () => codec.compress(value),
        () => codec.decompress(value, bytes),
        () => codec.decompress(bytes, value),
      ]),
      () => new FrameBuilder(4096).add(value, bytes, 0, 3),
      () => new FrameBuilder(4096).add(bytes, value, 0, 3),
      () => RecipeNode.decode(value, wasmHasher),
      () => recipe.push(value, 0, 5),
      () => packName(value),
      () => indexName(value),
    ];
    for (const call of calls) throws(call, TypeError, `${call}: ${value}`);
    await rejects(reader.readObject(value, 3), TypeError);
    await rejects(reader.openContent(value, 5), TypeError);
    await rejects(reader.index.locate(value, 3), TypeError);
  }
});
