/**
 * What recipes prove: nothing until all that they name was looked up.
 *
 * @module
 */
import { type Hasher, idFromBytes } from "@snap/hash";
import type { ReadStore, StoreOptions } from "@snap/store";
import { ID_SIZE } from "../bytes.ts";
import { isObjectFault } from "../faults.ts";
import type { StoreIndex } from "../index/store_index.ts";
import { ObjectKind } from "../object_kind.ts";
import { openStoreReader, type StoreReader } from "../read/store_reader.ts";
import { RecipeNode, RecipeRowKind } from "../recipe/recipe.ts";

/** Nodes of which it is remembered that all below them is there. */
const PROVED_MAX = 2 ** 16;

/** Where a {@linkcode RecipeProof} looks. */
export interface RecipeProofParts {
  /** Tells whether a pack that counts has an object of this kind. */
  has(id: Uint8Array, kind: ObjectKind): boolean | Promise<boolean>;
  /** Told of a recipe that cannot be read in full, so that it is stored again. */
  distrust?(id: Uint8Array): void;
  /** The store that nodes are read from. */
  readonly store: ReadStore;
  /** Its index. */
  readonly index: StoreIndex;
  /** The hasher. */
  readonly hasher: Hasher;
}

/** An object that is named and not there. */
export interface LackingObject {
  /** Its id, 32 bytes. */
  readonly id: Uint8Array;
  /** Its kind: content or recipe. */
  readonly kind: ObjectKind;
}

/**
 * Looks up all that recipes name: a recipe may lie beside live objects in a pack
 * that stays, when its chunks are gone.
 */
export class RecipeProof implements AsyncDisposable {
  readonly #parts: RecipeProofParts;
  #reader: Promise<StoreReader> | undefined;
  readonly #proved = new Set<string>();

  /** Looks at nothing yet. */
  constructor(parts: RecipeProofParts) {
    this.#parts = parts;
  }

  /**
   * Finds what is not there of a large object.
   *
   * @param id The id of its recipe, or of a node.
   * @param options What ends the wait.
   * @returns The recipe itself, or the nodes and chunks below it.
   * @throws {DamageError} If a node is damaged.
   * @throws {StoreError} If the store fails.
   */
  async *lacks(
    id: Uint8Array,
    options?: StoreOptions,
  ): AsyncGenerator<LackingObject> {
    const { recipe } = ObjectKind;
    const key = idFromBytes(id);
    if (this.#proved.has(key)) return;
    if (!await this.#parts.has(id, recipe)) {
      return void (yield { id, kind: recipe });
    }
    const bytes = await (await this.#openReader()).readNode(id, options);
    const node = RecipeNode.decode(bytes, this.#parts.hasher);
    let isWhole = true;
    for (const below of rowsOf(node)) {
      if (below.kind === recipe) {
        for await (const one of this.lacks(below.id, options)) {
          isWhole = false;
          yield one;
        }
      } else if (!await this.#parts.has(below.id, below.kind)) {
        isWhole = false;
        yield below;
      }
    }
    if (!isWhole) return;
    if (this.#proved.size >= PROVED_MAX) this.#proved.clear();
    this.#proved.add(key);
  }

  /**
   * Tells whether a large object is there with all its chunks.
   *
   * @param id The id of its recipe, or of a node.
   * @param options What ends the wait.
   * @returns Whether nothing of it lacks, and no node is damaged.
   * @throws {StoreError} If the store fails.
   */
  async holds(id: Uint8Array, options?: StoreOptions): Promise<boolean> {
    try {
      for await (const _ of this.lacks(id, options)) return false;
      return true;
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      this.#parts.distrust?.(id);
      return false;
    }
  }

  /** Closes what nodes were read from. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Whoever wanted a reader that could not be opened was told why.
    const reader = await this.#reader?.catch(() => undefined);
    await reader?.[Symbol.asyncDispose]();
  }

  #openReader(): Promise<StoreReader> {
    return this.#reader ??= openStoreReader(this.#parts.store, this.#parts);
  }
}

/** What a node names, but runs of zeros. */
function* rowsOf(node: RecipeNode): Generator<LackingObject> {
  for (let row = 0; row < node.count; row++) {
    const rowKind = node.rowKind(row);
    if (rowKind === RecipeRowKind.zeros) continue;
    const start = node.idStart(row);
    const id = node.bytes.slice(start, start + ID_SIZE);
    const isNode = rowKind === RecipeRowKind.node;
    yield { id, kind: isNode ? ObjectKind.recipe : ObjectKind.content };
  }
}
