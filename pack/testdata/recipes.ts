// What the tests of recipes share.
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { RecipeBuilder } from "../recipe/recipe_builder.ts";
import { RecipeReader } from "../recipe/recipe_reader.ts";
import { RecipeRowKind } from "../recipe/recipe.ts";

/** What the tests' generator of numbers can do. */
export interface Random {
  below(limit: number): number;
  unit(): number;
  bytes(size: number): Uint8Array;
}

/** A row that was pushed; without an id a run of zeros. */
export interface PushedRow {
  readonly id?: Uint8Array;
  readonly size: number;
}

/** A recipe with its nodes in the order in which they came. */
export interface MadeRecipe {
  readonly id: Uint8Array;
  readonly size: number;
  readonly nodes: Map<string, Uint8Array>;
}

/** Makes an id, for one in 16 one that may close a node. */
export function makeId(prng: Random): Uint8Array {
  const id = prng.bytes(32);
  if (prng.below(16) === 0) id.fill(0, 0, 2);
  return id;
}

/** Makes rows of chunks, and of zeros for a part of them. */
export function makeRows(
  prng: Random,
  count: number,
  zerosPart: number,
): PushedRow[] {
  return Array.from({ length: count }, () => {
    const size = 1 + prng.below(100_000);
    if (prng.unit() < zerosPart) return { size: size * 1000 };
    return { id: makeId(prng), size };
  });
}

/** Builds a recipe under a made-up id. */
export function build(rows: readonly PushedRow[], kind = 1): MadeRecipe {
  const nodes = new Map<string, Uint8Array>();
  const builder = new RecipeBuilder({
    hasher: wasmHasher,
    onNode: (bytes, id) => void nodes.set(id.toHex(), bytes.slice()),
  });
  for (const { id, size } of rows) {
    if (id === undefined) builder.pushZeros(size);
    else builder.push(id, 0, size);
  }
  const id = new Uint8Array(32).fill(0xee);
  const size = builder.plainSize;
  builder.finish({ id, kind });
  return { id, size, nodes };
}

/** Makes a reader that expects the recipe. */
export function readerOf(recipe: MadeRecipe, kind = 1): RecipeReader {
  const { id, size } = recipe;
  return new RecipeReader({ hasher: wasmHasher, id, kind, size });
}

/** Reads the rows of the range that the reader was given. */
export function readRows(
  reader: RecipeReader,
  recipe: MadeRecipe,
): PushedRow[] {
  const rows: PushedRow[] = [];
  for (let step = reader.next(); step !== "end"; step = reader.next()) {
    if (step === "node") {
      reader.give(recipe.nodes.get(reader.wanted.toHex())!);
      continue;
    }
    const { ids, idStart, size } = reader;
    if (reader.rowKind === RecipeRowKind.zeros) rows.push({ size });
    else rows.push({ id: ids.slice(idStart, idStart + 32), size });
  }
  return rows;
}

/** Joins runs of zeros that stand side by side. */
export function joinZeros(rows: readonly PushedRow[]): PushedRow[] {
  const joined: PushedRow[] = [];
  for (const row of rows) {
    const last = joined.at(-1);
    if (row.id === undefined && last !== undefined && last.id === undefined) {
      joined[joined.length - 1] = { size: last.size + row.size };
    } else joined.push(row);
  }
  return joined;
}
