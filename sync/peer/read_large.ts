import { equalBytes, type Hasher, ID_SIZE } from "@snap/hash";
import { ObjectKind } from "@snap/pack";
import { contextOf } from "@snap/pack/read";
import {
  type RecipeNode,
  RecipeReader,
  RecipeRowKind,
} from "@snap/pack/recipe";
import type { ObjectReads } from "@snap/snapshot/reach";
import { SyncError } from "../errors.ts";

/** Bytes of the largest directory that is taken from a server. */
const SIZE_MAX = 256 << 20;

/**
 * Reads a large tree or page by its recipe, and checks the whole.
 *
 * @param root The root of the recipe.
 * @param kind The kind of the object.
 * @param reads What reads nodes and chunks.
 * @param hasher What hashes.
 * @returns Its bytes.
 */
export async function readLarge(
  root: RecipeNode,
  kind: number,
  reads: ObjectReads,
  hasher: Hasher,
): Promise<Uint8Array> {
  const { id, plainSize: size } = root;
  if (size > SIZE_MAX) {
    throw lying(`it has ${size} bytes, more than ${SIZE_MAX}`);
  }
  const plain = new Uint8Array(size);
  const reader = new RecipeReader({ hasher, id, kind, size, root });
  for (let step = reader.next(); step !== "end"; step = reader.next()) {
    if (step === "node") {
      const nodeId = reader.wanted.slice();
      reader.give(await reads.readObject(nodeId, ObjectKind.recipe));
    } else if (reader.rowKind === RecipeRowKind.chunk) {
      const { ids, idStart, offset } = reader;
      const chunkId = ids.slice(idStart, idStart + ID_SIZE);
      plain.set(await reads.readObject(chunkId, ObjectKind.content), offset);
    }
  }
  const found = new Uint8Array(ID_SIZE);
  hasher.deriveInto(contextOf(kind)!, plain, found);
  if (equalBytes(found, 0, id, 0, ID_SIZE)) return plain;
  throw lying("it is not what its recipe says");
}

function lying(reason: string): SyncError {
  return new SyncError(`Cannot take a directory: ${reason}`, { code: "LYING" });
}
