import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { IdMismatchError } from "@snap/hash";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { Prng, seededTest } from "../../tests/_prng.ts";
import {
  build,
  joinZeros,
  type MadeRecipe,
  makeRows,
  readerOf,
  readRows,
} from "../testdata/recipes.ts";
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

interface Lie {
  /** What the root says about the node below. */
  readonly size?: number;
  readonly level?: number;
  /** Makes the node below a root too. */
  readonly lowerRoot?: Uint8Array;
}

function oneRow(kind: number, id: Uint8Array, size: number) {
  const sizes = Float64Array.of(size);
  return { count: 1, ids: id, sizes, kinds: Uint8Array.of(kind) };
}

/** A recipe of two nodes, the root of which may lie about the other. */
function lyingRecipe({ size = 100, level = 1, lowerRoot }: Lie): MadeRecipe {
  const out = new Uint8Array(RECIPE_NODE_SIZE_MAX);
  const encode = (
    rows: ReturnType<typeof oneRow>,
    level: number,
    id?: Uint8Array,
  ) => {
    const root = id && { id, kind: 1, hasher: wasmHasher };
    return out.slice(0, encodeRecipeNode(rows, level, out, root));
  };
  const chunk = oneRow(1, new Uint8Array(32).fill(5), 100);
  const lower = encode(chunk, 0, lowerRoot);
  const lowerId = RecipeNode.decode(lower, wasmHasher).id;
  const id = new Uint8Array(32).fill(0xee);
  const nodes = new Map([
    [lowerId.toHex(), lower],
    [id.toHex(), encode(oneRow(3, lowerId, size), level, id)],
  ]);
  return { id, size, nodes };
}

const LIES: Record<string, Lie> = {
  "too many bytes below": { size: 101 },
  "too few bytes below": { size: 99 },
  "levels that skip one": { level: 2 },
  "levels that skip six": { level: 7 },
  // The id of a root is claimed, not computed.
  "a root below the root": { lowerRoot: new Uint8Array(32).fill(0xdd) },
};

for (const [what, lie] of Object.entries(LIES)) {
  Deno.test(`RecipeReader refuses ${what}`, () => {
    const made = lyingRecipe(lie);
    throws(() => readRows(readerOf(made), made), RecipeSyntaxError);
  });
}

Deno.test("RecipeReader reads what the lies are made of", () => {
  const made = lyingRecipe({});
  equal(readRows(readerOf(made), made).length, 1);
});
