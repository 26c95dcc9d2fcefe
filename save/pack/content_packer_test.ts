import { deepEqual, equal, ok } from "node:assert/strict";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { RecipeNode } from "@snap/pack/recipe";
import { noise } from "../../tests/_snapshots.ts";
import { ContentPacker } from "./content_packer.ts";
import { ClaimTable, type EncodedNode, ObjectSink } from "@snap/pack/sink";
import { DEFAULT_SETTINGS } from "@snap/store/format";

function packerOf(
  addRecipe: (nodes: readonly EncodedNode[]) => void,
): ContentPacker {
  const target = { addPack: () => {}, addRecipe };
  const sink = new ObjectSink({
    settings: DEFAULT_SETTINGS,
    saveId: new Uint8Array(16),
    spoolPath: "",
    indexTables: [],
    claims: new ClaimTable(256).buffer,
    mode: "count",
  }, {
    hasher: wasmHasher,
    random: (size) => new Uint8Array(size),
    target,
  });
  const hasher = wasmHasher;
  return new ContentPacker(sink, { hasher, target, isNaming: false });
}

Deno.test("ContentPacker hands nodes over while a file is read, the root last", () => {
  const batches: (readonly EncodedNode[])[] = [];
  const objects = packerOf((nodes) => batches.push(nodes));
  const recipe = objects.beginRecipe();
  const ids = noise(32 * 1000, 1);
  const rows = 300_000;
  for (let row = 0; row < rows; row++) {
    recipe.push(ids, 32 * (row % 1000), 1 + row % 7);
  }
  ok(batches.length > 0);
  const { plainSize } = recipe;
  objects.finishRecipe(new Uint8Array(32).fill(7));
  objects.flushRecipes();
  objects.flushRecipes();
  ok(batches.every(({ length }) => 0 < length && length <= 64));
  const nodes = batches.flat();
  deepEqual(
    nodes.flatMap(({ isRoot }, i) => isRoot ? [i] : []),
    [nodes.length - 1],
  );
  deepEqual(nodes.at(-1)!.id, new Uint8Array(32).fill(7));
  equal(
    RecipeNode.decode(nodes.at(-1)!.bytes, wasmHasher).plainSize,
    plainSize,
  );
});

Deno.test("ContentPacker says nothing of content that needs no recipe", () => {
  const objects = packerOf(() => {
    throw new Error("No node is to be made");
  });
  objects.putContent(noise(1000, 1));
  objects.flushRecipes();
});
