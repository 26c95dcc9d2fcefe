import { equalBytes, type Hasher, ID_SIZE } from "@snap/hash";
import { joinSpans } from "@snap/hash/blake-span";
import { ObjectKind } from "@snap/pack";
import {
  contextOf,
  hashRows,
  recipeRows,
  type StoreReader,
} from "@snap/pack/read";
import { RecipeNode, RecipeReader, RecipeRowKind } from "@snap/pack/recipe";
import type { Pacer } from "@snap/posix/pacer";
import type { StoreOptions } from "@snap/store";
import { marked, ObjectRows } from "../object_rows.ts";
import { singleFrame } from "../move/single_frame.ts";
import { goneObject, lostObject, lyingError } from "./lost_object.ts";
import type { LostObject, Source, Target } from "./peer.ts";

/** A large object. */
export interface LargeRow {
  readonly id: Uint8Array;
  readonly kind: number;
  readonly size: number;
}

/** Options of {@linkcode LargeObjects}. */
export interface LargeObjectsOptions extends StoreOptions {
  readonly hasher: Hasher;
}

/** Moves recipes of large objects, and chunks of which the first copy is damaged. */
export class LargeObjects {
  readonly #reader: StoreReader;
  readonly #options: LargeObjectsOptions;
  readonly #pacer: Pacer;

  constructor(reader: StoreReader, options: LargeObjectsOptions, pacer: Pacer) {
    this.#reader = reader;
    this.#options = options;
    this.#pacer = pacer;
  }

  /**
   * Moves the recipe of a large object whose chunks were moved.
   *
   * @param large The object.
   * @param values What was hashed of its spans; undefined where one could not be read.
   * @param target Where it goes.
   * @returns The object, if it could not be had.
   */
  async finish(
    large: LargeRow,
    values: readonly (Uint8Array | undefined)[],
    target: Target,
  ): Promise<LostObject[]> {
    const { id, kind } = large;
    try {
      const sound = values.filter((value) => value !== undefined);
      const isRead = sound.length === values.length;
      if (!isRead) await this.#moveLargeOther(large, target);
      else if (!equalBytes(joinValues(sound, kind), 0, id, 0, ID_SIZE)) {
        throw lyingError(id);
      }
      await this.#moveNodes(large, target);
      return [];
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      return [lostObject(id, error)];
    }
  }

  /** Moves the chunks of a large object from wherever a sound copy is, and checks the whole. */
  async #moveLargeOther(large: LargeRow, target: Target): Promise<void> {
    const root = await this.#root(large.id);
    const found = await this.identify(large, root, async (bytes) => {
      const chunkId = new Uint8Array(ID_SIZE);
      this.#options.hasher.hashInto(bytes, chunkId);
      target.takeFrame(singleFrame(bytes, chunkId, ObjectKind.content));
      await target.settled();
    });
    if (!equalBytes(found, 0, large.id, 0, ID_SIZE)) throw lyingError(large.id);
  }

  /**
   * Says what the chunks of a large object are, each read from wherever a sound copy is.
   *
   * @param large The object.
   * @param root The root of its recipe.
   * @param take Takes each chunk.
   * @returns Its id by its chunks.
   */
  async identify(
    { id, kind, size }: LargeRow,
    root: RecipeNode,
    take?: (chunk: Uint8Array) => Promise<void>,
  ): Promise<Uint8Array> {
    const { hasher, signal } = this.#options;
    const context = contextOf(kind);
    const hash = context === undefined
      ? hasher.sparseStream()
      : hasher.deriveStream(context);
    const walk = new RecipeReader({ hasher, id, kind, size, root });
    const rows = recipeRows(this.#reader, walk, { signal });
    await hashRows(rows, hash, { pacer: this.#pacer, take });
    const found = new Uint8Array(ID_SIZE);
    hash.digestInto(found);
    return found;
  }

  /** Moves the nodes of a recipe, each before the one that names it. */
  async #moveNodes(large: LargeRow, target: Target): Promise<void> {
    const { id, kind, size } = large;
    const root = await this.root(large);
    await this.#moveBelow(root, target);
    const isProven = true;
    target.addRoot({ id, kind, size, root: root.bytes, isProven });
  }

  async #moveBelow(node: RecipeNode, target: Target): Promise<void> {
    if (node.level === 0) return;
    for (let row = 0; row < node.count; row++) {
      const start = node.idStart(row);
      const id = node.bytes.slice(start, start + ID_SIZE);
      const bytes = await this.#reader.readNode(id);
      const child = RecipeNode.decode(bytes, this.#options.hasher);
      await this.#moveBelow(child, target);
      target.takeFrame(singleFrame(bytes, id, ObjectKind.recipe));
      await target.settled();
    }
  }

  /**
   * Moves large objects to a target that proves them itself: only what is missing
   * there, and all of it together.
   *
   * @param objects The objects.
   * @param target Where they go.
   * @param source What moves their parts.
   * @returns What could not be had.
   */
  async moveMissing(
    objects: readonly LargeRow[],
    target: Target,
    source: Pick<Source, "move">,
  ): Promise<LostObject[]> {
    const lost: LostObject[] = [];
    const roots: (readonly [LargeRow, RecipeNode])[] = [];
    const rows = new ObjectRows();
    for (const one of objects) {
      try {
        const root = await this.root(one);
        if (root.level > 0) {
          lost.push(...await this.#moveParts(root, target, source));
        } else addChunks(rows, root);
        roots.push([one, root]);
      } catch (error) {
        this.#options.signal?.throwIfAborted();
        lost.push(lostObject(one.id, error));
      }
    }
    const lack = marked(rows, await target.missing(rows));
    if (lack.count > 0) lost.push(...await source.move(lack, target));
    // The whole group is not written if a part is gone.
    if (lost.length > 0) return lost;
    for (const [{ id, kind }, { plainSize: size, bytes: root }] of roots) {
      target.addRoot({ id, kind, size, root, isProven: false });
    }
    return [];
  }

  async #moveParts(
    node: RecipeNode,
    target: Target,
    source: Pick<Source, "move">,
  ): Promise<LostObject[]> {
    const lost: LostObject[] = [];
    const rows = new ObjectRows();
    if (node.level === 0) addChunks(rows, node);
    for (let row = 0; node.level > 0 && row < node.count; row++) {
      const start = node.idStart(row);
      const id = node.bytes.slice(start, start + ID_SIZE);
      const bytes = await this.#reader.readNode(id);
      const child = RecipeNode.decode(bytes, this.#options.hasher);
      lost.push(...await this.#moveParts(child, target, source));
      rows.add(id, 0, ObjectKind.recipe, bytes.length);
    }
    const lack = marked(rows, await target.missing(rows));
    if (lack.count > 0) lost.push(...await source.move(lack, target));
    return lost;
  }

  /**
   * Reads the root of the recipe of a large object.
   *
   * @param large The object.
   * @returns The root.
   * @throws {SyncError} If it is not there, or says something else.
   */
  async root({ id, kind, size }: LargeRow): Promise<RecipeNode> {
    const root = await this.#root(id);
    // A size that a target asks for is not always known.
    const isSame = size === 0 || root.plainSize === size;
    if (isSame && root.objectKind === kind) return root;
    throw lyingError(id);
  }

  async #root(id: Uint8Array): Promise<RecipeNode> {
    const bytes = await this.#reader.readStored(id, ObjectKind.recipe);
    if (bytes === undefined) throw goneObject(id, ObjectKind.recipe).error;
    return RecipeNode.decode(bytes, this.#options.hasher);
  }
}

/** Adds the chunks that a node names. */
export function addChunks(rows: ObjectRows, node: RecipeNode): void {
  for (let row = 0; row < node.count; row++) {
    if (node.rowKind(row) === RecipeRowKind.zeros) continue;
    const { content } = ObjectKind;
    rows.add(node.bytes, node.idStart(row), content, node.size(row));
  }
}

/** Joins what was hashed of a large object: of all of it, or of its spans. */
export function joinValues(
  values: readonly Uint8Array[],
  kind: number,
): Uint8Array {
  if (values.length === 1) return values[0];
  const joined = new Uint8Array(ID_SIZE * values.length);
  values.forEach((value, i) => joined.set(value, ID_SIZE * i));
  const id = new Uint8Array(ID_SIZE);
  joinSpans(joined, id, contextOf(kind));
  return id;
}
