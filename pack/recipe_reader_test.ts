import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { IdMismatchError } from "@snap/hash/hasher";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { Prng, seededTest } from "../tests/_prng.ts";
import {
  build,
  joinZeros,
  type MadeRecipe,
  makeRows,
  readerOf,
  readRows,
} from "./_recipe_testing.ts";
import {
  encodeRecipeNode,
  RECIPE_NODE_SIZE_MAX,
  RecipeNode,
  RecipeSyntaxError,
} from "./recipe.ts";
import { RecipeReader } from "./recipe_reader.ts";

const recipe = build(makeRows(new Prng(1), 10_000, 0.1));

seededTest("RecipeReader finds the rows of any range", (prng) => {
  const rows = makeRows(prng, 1 + prng.below(3000), 0.2);
  const made = build(rows);
  const joined = joinZeros(rows);
  const reader = readerOf(made);
  for (let i = 0; i < 10; i++) {
    const start = Math.floor(prng.unit() * made.size);
    const end = start + prng.below(prng.pick([2, 100_000, 10_000_000]));
    let at = 0;
    const expected = joined.filter(({ size }) => {
      at += size;
      return end > start && at > start && at - size < end;
    });
    reader.seek(start, end);
    deepEqual(readRows(reader, made), expected);
  }
}, { roundCount: 20 });

Deno.test("RecipeReader says where each row begins", () => {
  const reader = readerOf(recipe);
  let end = 0;
  for (let step = reader.next(); step !== "end"; step = reader.next()) {
    if (step === "node") {
      reader.give(recipe.nodes.get(reader.wanted.toHex())!);
    } else {
      equal(reader.offset, end);
      end += reader.size;
    }
  }
  equal(end, recipe.size);
});

Deno.test("RecipeReader wants each node once on a way through", () => {
  const reader = readerOf(recipe);
  let wanted = 0;
  for (let step = reader.next(); step !== "end"; step = reader.next()) {
    if (step !== "node") continue;
    wanted++;
    equal(reader.next(), "node");
    reader.give(recipe.nodes.get(reader.wanted.toHex())!);
  }
  equal(wanted, recipe.nodes.size);
});

Deno.test("RecipeReader uses nodes again after seek, also those of others", () => {
  const reader = readerOf(recipe);
  readRows(reader, recipe);
  reader.seek(recipe.size - 2, recipe.size);
  equal(reader.next(), "row");
  reader.seek(0, 1);
  equal(reader.next(), "node");
  ok(reader.wanted.some((byte) => byte !== 0xee));
  const bytes = recipe.nodes.get(reader.wanted.toHex())!;
  reader.give(RecipeNode.decode(bytes, wasmHasher));
  equal(reader.next(), "row");
  equal(reader.offset, 0);
});

Deno.test("RecipeReader ends at the end of the object", () => {
  const reader = readerOf(recipe);
  reader.seek(recipe.size, recipe.size + 10);
  equal(reader.next(), "end");
  reader.seek(5, 5);
  equal(reader.next(), "end");
  throws(() => reader.seek(-1, 5), RangeError);
  throws(() => reader.seek(5, 4), RangeError);
  throws(() => reader.seek(NaN, 4), RangeError);
});

Deno.test("RecipeReader takes no node that it did not ask for", () => {
  const reader = readerOf(recipe);
  const root = recipe.nodes.get(recipe.id.toHex())!;
  throws(() => reader.give(root), TypeError);
  reader.next();
  reader.give(root);
  throws(() => reader.give(root), TypeError);
});

Deno.test("RecipeReader refuses the recipe of another object", () => {
  const root = recipe.nodes.get(recipe.id.toHex())!;
  const { id, size } = recipe;
  const others = [
    [{ id: new Uint8Array(32).fill(0xef) }, "IdMismatchError"],
    [{ size: size + 1 }, "RecipeSyntaxError"],
    [{ kind: 3 }, "RecipeSyntaxError"],
  ] as const;
  for (const [other, name] of others) {
    const options = { hasher: wasmHasher, id, size, kind: 1, ...other };
    const reader = new RecipeReader(options);
    reader.next();
    throws(() => reader.give(root), { name });
  }
});

Deno.test("RecipeReader refuses another node, then takes the right one", () => {
  const reader = readerOf(recipe);
  reader.next();
  reader.give(recipe.nodes.get(recipe.id.toHex())!);
  equal(reader.next(), "node");
  const wanted = reader.wanted.toHex();
  const right = recipe.nodes.get(wanted)!;
  const wrong =
    [...recipe.nodes].find(([id]) =>
      id !== wanted && id !== recipe.id.toHex()
    )![1];
  throws(() => reader.give(wrong), IdMismatchError);
  throws(() => reader.give(right.slice(0, -1)), RecipeSyntaxError);
  equal(reader.next(), "node");
  reader.give(right);
  equal(reader.next(), "row");
});

/** A recipe whose root lies about the one node below it. */
function lyingRecipe(size: number, level: number): MadeRecipe {
  const out = new Uint8Array(RECIPE_NODE_SIZE_MAX);
  const row = (kind: number, id: Uint8Array, size: number) => ({
    count: 1,
    ids: id,
    sizes: Float64Array.of(size),
    kinds: Uint8Array.of(kind),
  });
  const chunk = row(1, new Uint8Array(32).fill(5), 100);
  const leaf = out.slice(0, encodeRecipeNode(chunk, 0, out));
  const leafId = RecipeNode.decode(leaf, wasmHasher).id;
  const id = new Uint8Array(32).fill(0xee);
  const root = { id, kind: 1, hasher: wasmHasher };
  const top = encodeRecipeNode(row(3, leafId, size), level, out, root);
  const nodes = new Map([
    [leafId.toHex(), leaf],
    [id.toHex(), out.slice(0, top)],
  ]);
  return { id, size, nodes };
}

Deno.test("RecipeReader refuses nodes that do not fit those above", () => {
  const fits = lyingRecipe(100, 1);
  equal(readRows(readerOf(fits), fits).length, 1);
  for (const [size, level] of [[101, 1], [99, 1], [100, 2], [100, 7]]) {
    const lie = lyingRecipe(size, level);
    throws(() => readRows(readerOf(lie), lie), RecipeSyntaxError);
  }
});

Deno.test("RecipeReader refuses a root below a root", () => {
  const inner = build([{ id: new Uint8Array(32).fill(5), size: 100 }]);
  const lie = lyingRecipe(100, 1);
  const [leafId] = lie.nodes.keys();
  lie.nodes.set(leafId, inner.nodes.get(inner.id.toHex())!);
  throws(() => readRows(readerOf(lie), lie), IdMismatchError);
});
