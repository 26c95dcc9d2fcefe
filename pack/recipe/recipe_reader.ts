/**
 * Finds the chunks of a large object, without reading anything itself.
 *
 * @module
 */
import {
  equalBytes,
  type Hasher,
  idFromBytes,
  IdMismatchError,
} from "@snap/hash";
import { ID_SIZE } from "../bytes.ts";
import { RecipeNode, RecipeRowKind } from "./recipe.ts";
import {
  checkRecipeChild,
  checkRecipeNode,
  checkRecipeRoot,
} from "./recipe_place.ts";

/** The object whose recipe a {@linkcode RecipeReader} reads. */
export interface RecipeReaderOptions {
  /** Hasher of the nodes. */
  readonly hasher: Hasher;
  /** 32 bytes of the object's id. */
  readonly id: Uint8Array;
  /** Number of the object's kind. */
  readonly kind: number;
  /** Plain bytes of the object. */
  readonly size: number;
  /** The root of the recipe, where it is known: then it is not wanted. */
  readonly root?: Uint8Array | RecipeNode | undefined;
}

/**
 * The result of `next`: a `row`, which is now in the fields of the reader; a
 * `node`, which is to be given; `end` of the range.
 */
export type RecipeStep = "row" | "node" | "end";

/**
 * Walks the rows of a recipe that overlap a range of the object, in order, with
 * one node of each level in memory. It reads nothing: it says which node it
 * wants, and is given it.
 *
 * Every node is checked against its id, the root against its own check, and all
 * of them against each other. That the chunks are those of the object is known
 * only by hashing the whole object.
 *
 * @example
 * ```ts
 * import { idFromBytes } from "@snap/hash";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { RecipeBuilder } from "@snap/pack/recipe-writer";
 * import { RecipeReader } from "@snap/pack/recipe";
 * import { equal } from "node:assert/strict";
 *
 * const hasher = wasmHasher;
 * const nodes = new Map<string, Uint8Array>();
 * const onNode = (bytes: Uint8Array, id: Uint8Array) =>
 *   void nodes.set(idFromBytes(id), bytes.slice());
 * const builder = new RecipeBuilder({ hasher, onNode });
 * const id = new Uint8Array(32).fill(1);
 * builder.push(new Uint8Array(32).fill(7), 0, 40_000);
 * builder.pushZeros(1_000_000);
 * builder.finish({ id, kind: 1 });
 *
 * const reader = new RecipeReader({ hasher, id, kind: 1, size: 1_040_000 });
 * reader.seek(50_000, 60_000);
 * equal(reader.next(), "node");
 * reader.give(nodes.get(idFromBytes(reader.wanted))!);
 * equal(reader.next(), "row");
 * equal(reader.offset, 40_000);
 * equal(reader.size, 1_000_000);
 * equal(reader.next(), "end");
 * ```
 */
export class RecipeReader {
  /** After `node`: 32 bytes of the id of the node to give, its kind `recipe`. */
  readonly wanted: Uint8Array = new Uint8Array(ID_SIZE);
  /** After `row`: chunk, or run of zeros. */
  rowKind: RecipeRowKind = RecipeRowKind.zeros;
  /** After `row`: bytes that hold the id of the chunk. */
  ids: Uint8Array = this.wanted;
  /** After `row`: where the 32 bytes of that id begin. */
  idStart = 0;
  /** After `row`: where the row begins in the object. */
  offset = 0;
  /** After `row`: plain bytes of the row. */
  size = 0;
  readonly #object: RecipeReaderOptions;
  /** Nodes from the root down, and where in the object they begin. */
  readonly #path: RecipeNode[] = [];
  readonly #starts: number[] = [];
  #at = 0;
  #end: number;
  #isWaiting = false;

  /**
   * Makes a reader of the whole object.
   *
   * @param options What the recipe must be of; the range is all of it
   * @throws {RecipeSyntaxError} If the root is not one of the object
   * @throws {IdMismatchError} If the root has another id
   */
  constructor(options: RecipeReaderOptions) {
    this.#object = options;
    this.#end = options.size;
    if (options.root === undefined) return;
    this.#want(options.id, 0);
    this.give(options.root);
  }

  /**
   * Chooses a range. Nodes that were given stay good for it.
   *
   * @param start First byte of the range
   * @param end End of the range, cut at the end of the object
   * @throws {RangeError} If the range is not one
   */
  seek(start: number, end: number): void {
    if (!(start >= 0 && start <= end)) {
      throw new RangeError(
        `Cannot seek in recipe as a range ends at or after its start: found ${start} to ${end}`,
      );
    }
    this.#at = start;
    this.#end = Math.min(end, this.#object.size);
    this.#isWaiting = false;
  }

  /**
   * Goes to the next row of the range.
   *
   * @returns What it has come to; `node` again until the node is given
   */
  next(): RecipeStep {
    if (this.#at >= this.#end) return "end";
    const node = this.#lowest();
    if (node === undefined) return this.#want(this.#object.id, 0);
    const start = this.#starts[this.#starts.length - 1];
    const row = node.rowAt(this.#at - start);
    if (node.level > 0) return this.#want(node.bytes, node.idStart(row));
    this.rowKind = node.rowKind(row);
    this.ids = node.bytes;
    this.idStart = node.idStart(row);
    this.offset = start + node.start(row);
    this.size = node.size(row);
    this.#at = this.offset + this.size;
    return "row";
  }

  /**
   * Takes the node that is wanted. After an error it is still wanted: another
   * copy may be given.
   *
   * @param node Its bytes, which must not change afterwards, or the node that
   * was decoded from them
   * @returns The node, for a cache
   * @throws {RecipeSyntaxError} If the bytes are not a node, or not one that
   * belongs here
   * @throws {IdMismatchError} If the node has another id
   * @throws {TypeError} If no node is wanted
   */
  give(node: Uint8Array | RecipeNode): RecipeNode {
    if (!this.#isWaiting) {
      throw new TypeError("Cannot give node as one needs to be wanted");
    }
    const decoded = node instanceof RecipeNode
      ? node
      : RecipeNode.decode(node, this.#object.hasher);
    if (!equalBytes(decoded.id, 0, this.wanted, 0, ID_SIZE)) {
      throw new IdMismatchError(
        idFromBytes(this.wanted),
        idFromBytes(decoded.id),
      );
    }
    this.#starts.push(this.#checkPlace(decoded));
    this.#path.push(decoded);
    this.#isWaiting = false;
    return decoded;
  }

  /** The lowest node that holds the next byte. */
  #lowest(): RecipeNode | undefined {
    let last = this.#path.length - 1;
    for (; last > 0; last--) {
      const from = this.#at - this.#starts[last];
      if (from >= 0 && from < this.#path[last].plainSize) break;
      this.#path.pop();
      this.#starts.pop();
    }
    return this.#path[last];
  }

  #want(ids: Uint8Array, idStart: number): "node" {
    this.wanted.set(ids.subarray(idStart, idStart + ID_SIZE));
    this.#isWaiting = true;
    return "node";
  }

  /** Checks a node against what is above it; returns where it begins. */
  #checkPlace(node: RecipeNode): number {
    const last = this.#path.length - 1;
    const parent = this.#path[last];
    if (parent === undefined) {
      const { kind, size } = this.#object;
      checkRecipeRoot(node, kind);
      const hasSize = node.plainSize === size;
      checkRecipeNode(`the object has ${size} bytes`, hasSize, 16, node);
      return 0;
    }
    const row = parent.rowAt(this.#at - this.#starts[last]);
    checkRecipeChild(node, parent, row);
    return this.#starts[last] + parent.start(row);
  }
}
