/**
 * The rows of a recipe with their chunks: the one loop of all who may wait.
 *
 * @module
 */
import type { StoreOptions } from "@snap/store";
import { RecipeRowKind } from "../recipe/recipe.ts";
import type { RecipeReader } from "../recipe/recipe_reader.ts";
import type { StoreReader } from "./store_reader.ts";

/** Bytes of chunks, and chunks, that are asked for ahead where a store is far away. */
const AHEAD_SIZE = 1 << 20;
const AHEAD_COUNT = 128;

/** A row of a recipe. */
export interface RecipeRow {
  /** Where it begins in the object. */
  readonly offset: number;
  /** Its size in bytes. */
  readonly size: number;
  /** The chunk, owned by the caller; none for a run of zeros. */
  readonly bytes?: Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Goes through the rows of a recipe in order. Where the store is far away the chunks
 * of the next rows are on their way meanwhile.
 *
 * @param store What reads objects
 * @param walk The rows
 * @param options What ends the wait
 * @returns The rows
 */
export async function* recipeRows(
  store: StoreReader,
  walk: RecipeReader,
  options: StoreOptions,
): AsyncGenerator<RecipeRow, void, void> {
  const isFar = store.ranges.isFar;
  const ahead: RecipeRow[] = [];
  let size = 0;
  for (let step = walk.next(); step !== "end"; step = walk.next()) {
    if (step === "node") {
      walk.give(await store.readNode(walk.wanted, options));
      continue;
    }
    ahead.push(rowOf(store, walk, options));
    size += walk.size;
    while (
      ahead.length > 0 &&
      (!isFar || size > AHEAD_SIZE || ahead.length > AHEAD_COUNT)
    ) {
      const row = ahead.shift() as RecipeRow;
      size -= row.size;
      yield row;
    }
  }
  yield* ahead;
}

function rowOf(
  store: StoreReader,
  walk: RecipeReader,
  options: StoreOptions,
): RecipeRow {
  const { offset, size, rowKind } = walk;
  if (rowKind === RecipeRowKind.zeros) return { offset, size };
  const bytes = store.readChunk(walk, options);
  // Whoever comes to this row sees the error; nobody may come.
  bytes.catch(() => {});
  return { offset, size, bytes };
}
