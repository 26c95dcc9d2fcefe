import { idFromBytes, IdMismatchError } from "@snap/hash";
import type { ObjectKind } from "@snap/pack";
import { type RecipeNode, RecipeReader } from "@snap/pack/recipe";
import {
  contextOf,
  hashRows,
  recipeRows,
  type StoreReader,
} from "@snap/pack/read";
import { Pacer } from "@snap/posix/pacer";
import type { SpillFile, SpillFiles } from "./spill_file.ts";

/**
 * Reads a tree or page that is too large for memory into a file, and checks it.
 *
 * @param reader The objects of its store.
 * @param root The root of its recipe.
 * @returns The bytes, to be closed by the caller.
 * @throws {DamageError} If a chunk is damaged.
 * @throws {ObjectNotFoundError} If a chunk or a node is gone.
 * @throws {IdMismatchError} If the recipe is of something else.
 */
export async function spoolObject(
  reader: StoreReader,
  kind: ObjectKind,
  root: RecipeNode,
  spill: SpillFiles,
): Promise<SpillFile> {
  const { hasher } = reader;
  const { id, plainSize: size } = root;
  const hash = hasher.deriveStream(contextOf(kind)!);
  const walk = new RecipeReader({ hasher, id, kind, size, root });
  const bytes = spill.make(size);
  try {
    await hashRows(recipeRows(reader, walk, {}), hash, {
      pacer: new Pacer(),
      take: (chunk, offset) => bytes.write(offset, chunk, 0, chunk.length),
    });
    const actual = hash.digest(), expected = idFromBytes(id);
    if (actual !== expected) throw new IdMismatchError(expected, actual);
    return bytes;
  } catch (error) {
    bytes[Symbol.dispose]();
    throw error;
  }
}
