import { equalBytes, ID_SIZE } from "@snap/hash";
import { ObjectKind } from "@snap/pack";
import {
  checkRecipeChild,
  checkRecipeRoot,
  RecipeNode,
  RecipeRowKind,
  RecipeSyntaxError,
} from "@snap/pack/recipe";
import type { Objects } from "@snap/pack/objects";
import type { Pieces } from "../device/pieces.ts";
import { SecondChance } from "../second_chance.ts";

/** Memory for nodes, and what a node needs beside its bytes, about. */
const CACHE_SIZE = 8 << 20;
const NODE_SIZE = 256;

/** Stand for runs of zeros; nobody writes to them. */
const ZEROS = new Uint8Array(128 << 10);

/** Finds the bytes of objects that are recipes. */
export class Recipes {
  readonly #objects: Objects;
  /** Nodes by the first bytes of their ids. */
  readonly #nodes = new SecondChance<number, RecipeNode>({
    sizeMax: CACHE_SIZE,
  });

  constructor(objects: Objects) {
    this.#objects = objects;
  }

  /** The root of an object's recipe if it was used of late. */
  known(
    ids: Uint8Array,
    idStart: number,
    kind: number,
  ): RecipeNode | undefined {
    const node = this.#known(ids, idStart);
    return node?.isRoot && node.objectKind === kind ? node : undefined;
  }

  /**
   * The root of an object's recipe.
   *
   * @returns `undefined` while bytes are on their way.
   * @throws {ObjectNotFoundError} If no pack holds the object in any form.
   * @throws {RecipeSyntaxError} If the recipe is one of another kind.
   */
  root(ids: Uint8Array, idStart: number, kind: number): RecipeNode | undefined {
    const node = this.#node(ids, idStart);
    if (node === undefined) return undefined;
    if (node === "absent") return this.#objects.seek(ids, idStart, kind);
    checkRecipeRoot(node, kind);
    return node;
  }

  /**
   * Collects the bytes of a range, and wants all that are missing.
   *
   * @param range Start and end in the object.
   * @param pieces Takes views, good until the objects are released.
   */
  collect(
    node: RecipeNode,
    range: { readonly start: number; readonly end: number },
    pieces: Pieces,
    nodeStart = 0,
  ): boolean {
    const { start, end } = range;
    let isHere = true;
    let row = node.rowAt(Math.max(start - nodeStart, 0));
    for (; row < node.count; row++) {
      const rowStart = nodeStart + node.start(row);
      if (rowStart >= end) break;
      if (node.level > 0) {
        const child = this.#child(node, row);
        const isRowHere = child !== undefined &&
          this.collect(child, range, pieces, rowStart);
        isHere &&= isRowHere;
        continue;
      }
      const from = Math.max(start - rowStart, 0);
      const to = Math.min(end - rowStart, node.size(row));
      if (node.rowKind(row) === RecipeRowKind.zeros) {
        pushZeros(to - from, pieces);
      } else {
        const chunk = this.#chunk(node, row);
        if (chunk === undefined) isHere = false;
        else pieces.push(chunk.subarray(from, to));
      }
    }
    return isHere;
  }

  #chunk(node: RecipeNode, row: number): Uint8Array | undefined {
    const { content } = ObjectKind;
    const chunk = this.#objects.take(node.bytes, node.idStart(row), content);
    const size = node.size(row);
    if (chunk === undefined || chunk.length === size) return chunk;
    throw new RecipeSyntaxError(
      `Cannot read content: its chunk ${row} has ${chunk.length} bytes, not ${size}`,
      node.idStart(row),
    );
  }

  #child(parent: RecipeNode, row: number): RecipeNode | undefined {
    const start = parent.idStart(row);
    const node = this.#node(parent.bytes, start);
    if (node === undefined) return undefined;
    if (node === "absent") {
      return this.#objects.seek(parent.bytes, start, ObjectKind.recipe);
    }
    checkRecipeChild(node, parent, row);
    return node;
  }

  #node(ids: Uint8Array, idStart: number): RecipeNode | "absent" | undefined {
    const known = this.#known(ids, idStart);
    if (known !== undefined) return known;
    const bytes = this.#objects.find(ids, idStart, ObjectKind.recipe);
    if (bytes === undefined || bytes === "absent") return bytes;
    const node = RecipeNode.decode(bytes.slice(), this.#objects.hasher);
    this.#nodes.set(keyOf(ids, idStart), node, sizeOf(node));
    return node;
  }

  #known(ids: Uint8Array, idStart: number): RecipeNode | undefined {
    const node = this.#nodes.get(keyOf(ids, idStart));
    return node !== undefined && equalBytes(node.id, 0, ids, idStart, ID_SIZE)
      ? node
      : undefined;
  }
}

function pushZeros(size: number, pieces: Pieces): void {
  for (let left = size; left > 0; left -= ZEROS.length) {
    pieces.push(left < ZEROS.length ? ZEROS.subarray(0, left) : ZEROS);
  }
}

/** 48 bits of an id. */
function keyOf(ids: Uint8Array, at: number): number {
  const low = ids[at] | ids[at + 1] << 8 | ids[at + 2] << 16;
  const high = ids[at + 3] | ids[at + 4] << 8 | ids[at + 5] << 16;
  return low + high * 0x100_0000;
}

function sizeOf(node: RecipeNode): number {
  return NODE_SIZE + node.bytes.length + 8 * node.count;
}
