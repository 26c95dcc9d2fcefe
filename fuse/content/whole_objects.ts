import {
  ATTRIBUTES_CONTEXT,
  idFromBytes,
  IdMismatchError,
  TREE_CONTEXT,
} from "@snap/hash";
import { ObjectKind } from "@snap/pack";
import type { RecipeNode } from "@snap/pack/recipe";
import type { Objects } from "@snap/pack/objects";
import type { Recipes } from "./recipes.ts";
import { Pieces } from "../device/pieces.ts";

/** Bytes of a recipe that are asked for at once. */
const STEP_SIZE = 4 << 20;
/** Objects that are put together at the same time; the oldest begins anew. */
const PARTS_MAX = 4;

/** An object that is put together from chunks. */
interface Part {
  readonly plain: Uint8Array;
  end: number;
  isChecked: boolean;
}

/** Reads whole objects, also those that are recipes. */
export class WholeObjects {
  readonly #objects: Objects;
  readonly #recipes: Recipes;
  readonly #pieces = new Pieces();
  /** Bytes that have come so far, so that the next try gets further. */
  readonly #parts = new Map<string, Part>();

  constructor(objects: Objects, recipes: Recipes) {
    this.#objects = objects;
    this.#recipes = recipes;
  }

  /**
   * Reads an object. All views of the objects are released, also after an error.
   *
   * @param sizeMax Most bytes that the caller has room for.
   * @returns Its checked bytes, which nobody else has; `undefined` while some are
   * on their way. Those of a recipe are kept until `drop`.
   * @throws {RangeError} If it is larger.
   * @throws {IdMismatchError} If the recipe does not give the object.
   */
  take(
    id: { readonly bytes: Uint8Array; readonly start: number },
    kind: number,
    sizeMax: number,
  ): Uint8Array | undefined {
    try {
      return this.#take(id, kind, sizeMax);
    } catch (error) {
      this.drop(id);
      throw error;
    } finally {
      this.#pieces.clear();
      this.#objects.release();
    }
  }

  /** Forgets what was put together of an object. */
  drop(id: { readonly bytes: Uint8Array; readonly start: number }): void {
    if (this.#parts.size > 0) {
      this.#parts.delete(idFromBytes(id.bytes, id.start));
    }
  }

  #take(
    id: { readonly bytes: Uint8Array; readonly start: number },
    kind: number,
    sizeMax: number,
  ): Uint8Array | undefined {
    const { bytes, start } = id;
    let root = this.#recipes.known(bytes, start, kind);
    if (root === undefined) {
      const found = this.#objects.find(bytes, start, kind);
      if (found === undefined) return undefined;
      if (found !== "absent") {
        checkSize(found.length, sizeMax);
        return found.slice();
      }
      root = this.#recipes.root(bytes, start, kind);
      if (root === undefined) return undefined;
    }
    checkSize(root.plainSize, sizeMax);
    return this.#join(root);
  }

  #join(root: RecipeNode): Uint8Array | undefined {
    const part = this.#partOf(root);
    const { plain } = part;
    while (part.end < plain.length) {
      const end = Math.min(part.end + STEP_SIZE, plain.length);
      const range = { start: part.end, end };
      if (!this.#recipes.collect(root, range, this.#pieces)) return undefined;
      for (let i = 0; i < this.#pieces.count; i++) {
        plain.set(this.#pieces.views[i], part.end);
        part.end += this.#pieces.views[i].length;
      }
      this.#pieces.clear();
      this.#objects.release();
    }
    if (!part.isChecked) {
      this.#check(root, plain);
      part.isChecked = true;
    }
    return plain;
  }

  #partOf(root: RecipeNode): Part {
    const key = idFromBytes(root.id);
    let part = this.#parts.get(key);
    if (part === undefined) {
      part = {
        plain: new Uint8Array(root.plainSize),
        end: 0,
        isChecked: false,
      };
      this.#parts.set(key, part);
      for (const oldest of this.#parts.keys()) {
        if (this.#parts.size <= PARTS_MAX) break;
        this.#parts.delete(oldest);
      }
    }
    return part;
  }

  #check(root: RecipeNode, plain: Uint8Array): void {
    const { hasher } = this.#objects;
    const { objectKind, id } = root;
    const found = new Uint8Array(id.length);
    if (objectKind === ObjectKind.content) hasher.hashInto(plain, found);
    else {
      const isTree = objectKind === ObjectKind.tree;
      const context = isTree ? TREE_CONTEXT : ATTRIBUTES_CONTEXT;
      hasher.deriveInto(context, plain, found);
    }
    const expected = idFromBytes(id);
    const actual = idFromBytes(found);
    if (actual !== expected) throw new IdMismatchError(expected, actual);
  }
}

function checkSize(size: number, sizeMax: number): void {
  if (size <= sizeMax) return;
  throw new RangeError(
    `Cannot read object: it has ${size} bytes, more than ${sizeMax}`,
  );
}
