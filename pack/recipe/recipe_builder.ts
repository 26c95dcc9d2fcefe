/**
 * Makes the recipe of a large object from its chunks.
 *
 * @module
 */
import { checkBytes, type Hasher, RECIPE_CONTEXT } from "@snap/hash";
import { ID_SIZE } from "../bytes.ts";
import { FRAME_SIZE_MAX } from "../codec/codec.ts";
import {
  closesNode,
  encodeRecipeNode,
  RECIPE_NODE_SIZE_MAX,
  RECIPE_ROWS_MAX,
  type RecipeRoot,
  RecipeRowKind,
} from "./recipe.ts";

/** Options of {@linkcode RecipeBuilder}. */
export interface RecipeBuilderOptions {
  /** Hasher of the nodes. */
  readonly hasher: Hasher;
  /**
   * Takes one finished node, every node before the one that names it, the root
   * last. Both are good until it returns.
   *
   * @param bytes Bytes of the node
   * @param id 32 bytes under which it is to be stored, with kind `recipe`
   */
  onNode(bytes: Uint8Array, id: Uint8Array): void;
}

/** Rows of the node that is being filled on one level. */
class OpenNode {
  readonly ids: Uint8Array = new Uint8Array(ID_SIZE * RECIPE_ROWS_MAX);
  readonly sizes: Float64Array = new Float64Array(RECIPE_ROWS_MAX);
  readonly kinds: Uint8Array = new Uint8Array(RECIPE_ROWS_MAX);
  count = 0;
  plainSize = 0;
  /** Whether the next row belongs to the next node. */
  full = false;
  /** Whether this level has had a node before this one. */
  hasEarlier = false;
}

/**
 * Makes the recipe of a large object from its chunks, one after the other, in
 * memory for one node a level. The same rows give the same nodes.
 *
 * @example
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { RecipeBuilder } from "@snap/pack/recipe-writer";
 * import { equal } from "node:assert/strict";
 *
 * let count = 0;
 * const builder = new RecipeBuilder({ hasher: wasmHasher, onNode: () => count++ });
 * const id = new Uint8Array(32).fill(7);
 * builder.push(id, 0, 40_000);
 * builder.pushZeros(1_000_000);
 * builder.push(id, 0, 40_000);
 * builder.finish({ id: new Uint8Array(32).fill(1), kind: 1 });
 * equal(count, 1);
 * ```
 */
export class RecipeBuilder {
  readonly #hasher: Hasher;
  readonly #onNode: (bytes: Uint8Array, id: Uint8Array) => void;
  readonly #levels: OpenNode[] = [];
  readonly #out = new Uint8Array(RECIPE_NODE_SIZE_MAX);
  readonly #id = new Uint8Array(ID_SIZE);
  #zeros = 0;
  #plainSize = 0;

  /**
   * Makes a builder without rows.
   *
   * @param options Hasher, and what takes the nodes
   */
  constructor(options: RecipeBuilderOptions) {
    this.#hasher = options.hasher;
    this.#onNode = options.onNode.bind(options);
  }

  /** Plain bytes pushed so far. */
  get plainSize(): number {
    return this.#plainSize;
  }

  /**
   * Adds a chunk.
   *
   * @param ids Bytes that hold the id of the chunk
   * @param idStart Where its 32 bytes begin
   * @param size Plain bytes of the chunk, 1 to 4 MiB
   * @throws {RangeError} If the size is not possible
   */
  push(ids: Uint8Array, idStart: number, size: number): void {
    checkBytes(ids, "id");
    if (size > FRAME_SIZE_MAX) {
      throw new RangeError(
        `Cannot add chunk to recipe as it has at most ${FRAME_SIZE_MAX} bytes: found ${size}`,
      );
    }
    this.#count(size);
    this.#flushZeros();
    this.#pushRow(0, RecipeRowKind.chunk, size, ids, idStart);
  }

  /**
   * Adds zeros that are not stored. Runs that follow each other become one.
   *
   * @param size Number of zeros, at least 1
   * @throws {RangeError} If the size is not possible
   */
  pushZeros(size: number): void {
    this.#count(size);
    this.#zeros += size;
  }

  /**
   * Ends the recipe: hands out what is left, the root last. The builder is then
   * as new.
   *
   * @param object Id and kind of the object
   * @throws {RangeError} If nothing was pushed
   */
  finish(object: RecipeRoot): void {
    this.#flushZeros();
    if (this.#plainSize === 0) {
      throw new RangeError(
        "Cannot finish recipe as it has 1 row or more: found none",
      );
    }
    let level = 0;
    while (this.#levels[level].hasEarlier) this.#closeNode(level++);
    const top = this.#levels[level];
    const root = { ...object, hasher: this.#hasher };
    const size = encodeRecipeNode(top, level, this.#out, root);
    this.clear();
    this.#onNode(this.#out.subarray(0, size), object.id);
  }

  /** Forgets all rows, as after a file that could not be read to its end. */
  clear(): void {
    for (const node of this.#levels) {
      node.count = 0;
      node.plainSize = 0;
      node.full = false;
      node.hasEarlier = false;
    }
    this.#zeros = 0;
    this.#plainSize = 0;
  }

  #count(size: number): void {
    const sum = this.#plainSize + size;
    if (!Number.isSafeInteger(sum) || !(size >= 1)) {
      throw new RangeError(
        `Cannot add to recipe as sizes are 1 or more and their sum below 2^53: found ${size}`,
      );
    }
    this.#plainSize = sum;
  }

  #flushZeros(): void {
    if (this.#zeros === 0) return;
    this.#pushRow(0, RecipeRowKind.zeros, this.#zeros, NO_ID, 0);
    this.#zeros = 0;
  }

  // A node is closed when the row after it comes, not when it is full: whether
  // it is the root is known only then.
  #pushRow(
    level: number,
    kind: RecipeRowKind,
    size: number,
    ids: Uint8Array,
    idStart: number,
  ): void {
    const node = this.#levels[level] ??= new OpenNode();
    if (node.full) this.#closeNode(level);
    const row = node.count++;
    const to = ID_SIZE * row;
    for (let i = 0; i < ID_SIZE; i++) node.ids[to + i] = ids[idStart + i];
    node.sizes[row] = size;
    node.kinds[row] = kind;
    node.plainSize += size;
    node.full = node.count === RECIPE_ROWS_MAX ||
      (kind !== RecipeRowKind.zeros && closesNode(node.count, ids, idStart));
  }

  #closeNode(level: number): void {
    const node = this.#levels[level];
    const bytes = this.#out.subarray(
      0,
      encodeRecipeNode(node, level, this.#out),
    );
    const { plainSize } = node;
    node.count = 0;
    node.plainSize = 0;
    node.full = false;
    node.hasEarlier = true;
    this.#hasher.deriveInto(RECIPE_CONTEXT, bytes, this.#id);
    this.#onNode(bytes, this.#id);
    this.#pushRow(level + 1, RecipeRowKind.node, plainSize, this.#id, 0);
  }
}

const NO_ID = new Uint8Array(ID_SIZE);
