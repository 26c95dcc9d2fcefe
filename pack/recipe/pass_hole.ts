import type { HashStream } from "@snap/hash";
import type { RecipeBuilder } from "./recipe_builder.ts";

/** Holes below this size are read like anything else. */
export const PASSED_HOLE_MIN: number = 1024 * 1024;

/** Largest cost of a step, in bytes read. */
const STEP_COST = 1 << 20;

/** Recipe and hash that {@linkcode passHole} adds a hole to. */
export interface HoleWork {
  /** The recipe of the content. */
  readonly recipe: RecipeBuilder;
  /** The hash of the whole. */
  readonly whole: HashStream;
  /** Largest size of a chunk in bytes. */
  readonly chunkSizeMax: number;
  /** Whether the work is to end. */
  readonly isStopped: () => boolean;
}

/**
 * Adds a hole to a recipe as if its zeros had been read.
 *
 * @param work What takes the zeros.
 * @param held Zeros before the hole that are in no chunk yet.
 * @param size Bytes of the hole.
 * @returns Steps, then zeros that are in no chunk yet: a chunk of zeros is as large as can be.
 */
export function* passHole(
  work: HoleWork,
  held: number,
  size: number,
): Generator<number, number> {
  const { recipe, whole, chunkSizeMax, isStopped } = work;
  yield* hashZeros(whole, size, isStopped);
  const zeros = held + size;
  const rest = zeros % chunkSizeMax;
  if (zeros > rest) recipe.pushZeros(zeros - rest);
  return rest;
}

/** Hashes zeros until all are hashed, or somebody wants to end. */
function* hashZeros(
  hash: HashStream,
  size: number,
  isStopped: () => boolean,
): Generator<number, void> {
  for (let left = size; left > 0 && !isStopped();) {
    left -= hash.updateZeros(left);
    yield STEP_COST;
  }
}
