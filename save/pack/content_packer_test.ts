import { deepEqual, equal, ok } from "node:assert/strict";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { noneCodec } from "@snap/pack/codecs";
import { RecipeNode as Node } from "@snap/pack/recipe";
import { noise } from "../../tests/_snapshots.ts";
import { ClaimTable } from "./claim_table.ts";
import { ObjectSaver } from "./content_packer.ts";
import type { RecipeNode } from "../messages.ts";
import { DEFAULT_SETTINGS } from "@snap/store/format";

function saverOf(
  onRecipes: (nodes: readonly RecipeNode[]) => void,
): ObjectSaver {
  return new ObjectSaver({
    settings: DEFAULT_SETTINGS,
    codec: noneCodec,
    hasher: wasmHasher,
    claims: new ClaimTable(256),
    known: { has: () => false, isHealthy: true },
    mode: "count",
    saveId: new Uint8Array(16),
    random: (size) => new Uint8Array(size),
    spoolPath: "",
    onPack: () => {},
    onRecipes,
  });
}

Deno.test("ObjectSaver hands nodes over while a file is read, the root last", () => {
  const batches: (readonly RecipeNode[])[] = [];
  const objects = saverOf((nodes) => batches.push(nodes));
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
  equal(Node.decode(nodes.at(-1)!.bytes, wasmHasher).plainSize, plainSize);
});

Deno.test("ObjectSaver says nothing of content that needs no recipe", () => {
  const objects = saverOf(() => {
    throw new Error("No node is to be made");
  });
  objects.putContent(noise(1000, 1));
  objects.flushRecipes();
});
