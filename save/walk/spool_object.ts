import {
  ATTRIBUTES_CONTEXT,
  idFromBytes,
  IdMismatchError,
  TREE_CONTEXT,
} from "@snap/hash";
import { ObjectKind } from "@snap/pack";
import { type RecipeNode, RecipeReader } from "@snap/pack/recipe";
import { recipeRows, type StoreReader } from "@snap/pack/read";
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
  const context = kind === ObjectKind.tree ? TREE_CONTEXT : ATTRIBUTES_CONTEXT;
  const hash = hasher.deriveStream(context);
  const rows = new RecipeReader({ hasher, id, kind, size });
  const bytes = spill.make(size);
  try {
    const pacer = new Pacer();
    for await (const row of recipeRows(reader, rows, root, {})) {
      if (row.bytes !== undefined) {
        const chunk = await row.bytes;
        hash.update(chunk);
        bytes.write(row.offset, chunk, 0, chunk.length);
        await pacer.yield(chunk.length);
      } else {
        for (let left = row.size; left > 0;) {
          left -= hash.updateZeros(left);
          await pacer.yield();
        }
      }
    }
    const actual = hash.digest(), expected = idFromBytes(id);
    if (actual !== expected) throw new IdMismatchError(expected, actual);
    return bytes;
  } catch (error) {
    bytes[Symbol.dispose]();
    throw error;
  }
}
