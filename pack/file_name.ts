/**
 * The names of packs and index tables in a store.
 *
 * @module
 */
import { checkBytes, idFromBytes, idToBytes, isId } from "@snap/hash";

/** The beginning of the names of packs. */
export const PACK_PREFIX = "packs/";

/** The beginning of the names of index tables. */
export const INDEX_PREFIX = "index/";

/**
 * Names a pack.
 *
 * @param bytes Bytes with its id
 * @param offset Where its 32 bytes begin, 0 if left out
 * @returns Its name in a store
 */
export function packName(bytes: Uint8Array, offset = 0): string {
  checkBytes(bytes, "id");
  const id = idFromBytes(bytes, offset);
  return `${PACK_PREFIX}${id.slice(0, 2)}/${id}`;
}

/**
 * Reads the id in the name of a pack.
 *
 * @param name A name in a store
 * @returns 32 bytes, or `undefined` where the name is not one of a pack
 */
export function packIdOf(name: string): Uint8Array | undefined {
  const id = name.slice(PACK_PREFIX.length + 3);
  if (!isId(id) || name !== `${PACK_PREFIX}${id.slice(0, 2)}/${id}`) return;
  return idToBytes(id);
}

/**
 * Names an index table.
 *
 * @param bytes Bytes with its id
 * @param offset Where its 32 bytes begin, 0 if left out
 * @returns Its name in a store
 */
export function indexName(bytes: Uint8Array, offset = 0): string {
  checkBytes(bytes, "id");
  return INDEX_PREFIX + idFromBytes(bytes, offset);
}

/**
 * Reads the id in the name of an index table.
 *
 * @param name A name in a store
 * @returns 32 bytes, or `undefined` where the name is not one of a table
 */
export function indexIdOf(name: string): Uint8Array | undefined {
  const id = name.slice(INDEX_PREFIX.length);
  if (!isId(id) || !name.startsWith(INDEX_PREFIX)) return;
  return idToBytes(id);
}
