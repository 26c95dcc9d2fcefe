import {
  ATTRIBUTES_CONTEXT,
  type HashContext,
  type Hasher,
  RECIPE_CONTEXT,
  TREE_CONTEXT,
} from "@snap/hash";
import { compareIds, ID_SIZE } from "../bytes.ts";
import { ObjectKind } from "../object_kind.ts";

const ROOT_MARK = 5;

/**
 * Gives the context that objects of a kind are hashed under. A recipe's root,
 * which stands under the id of its object, carries its hash.
 *
 * @param kind Number of the kind
 * @returns The context; undefined for content
 */
export function contextOf(kind: number): HashContext | undefined {
  if (kind === ObjectKind.tree) return TREE_CONTEXT;
  if (kind === ObjectKind.attributes) return ATTRIBUTES_CONTEXT;
  if (kind === ObjectKind.recipe) return RECIPE_CONTEXT;
  return undefined;
}

/** Checks objects against their ids. */
export class ObjectCheck {
  readonly #hasher: Hasher;
  readonly #hash = new Uint8Array(ID_SIZE);

  /**
   * Checks nothing yet.
   *
   * @param hasher What hashes
   */
  constructor(hasher: Hasher) {
    this.#hasher = hasher;
  }

  /**
   * Tells whether plain bytes are an object.
   *
   * @param plain The bytes
   * @param kind Number of its kind
   * @param ids Bytes with its id
   * @param idStart Where its 32 bytes begin
   * @returns Whether they are
   */
  matches(
    plain: Uint8Array,
    kind: number,
    ids: Uint8Array,
    idStart: number,
  ): boolean {
    if (kind === ObjectKind.recipe && plain[ROOT_MARK] === 1) {
      return this.#isRoot(plain, ids, idStart);
    }
    const context = contextOf(kind);
    if (context === undefined) this.#hasher.hashInto(plain, this.#hash);
    else this.#hasher.deriveInto(context, plain, this.#hash);
    return compareIds(this.#hash, 0, ids, idStart) === 0;
  }

  #isRoot(plain: Uint8Array, ids: Uint8Array, idStart: number): boolean {
    const end = plain.length - ID_SIZE;
    if (end < ID_SIZE) return false;
    if (compareIds(plain, end - ID_SIZE, ids, idStart) !== 0) return false;
    const before = plain.subarray(0, end);
    this.#hasher.deriveInto(RECIPE_CONTEXT, before, this.#hash);
    return compareIds(this.#hash, 0, plain, end) === 0;
  }
}
