import { ID_SIZE } from "@snap/hash";
import { type Location, ObjectKind, ObjectNotFoundError } from "@snap/pack";
import type { StoreReader } from "@snap/pack/read";
import { RecipeNode, RecipeRowKind } from "@snap/pack/recipe";
import { Pacer } from "@snap/posix/pacer";
import {
  contentsOf,
  IdSet,
  type ReachedDirectory,
  ReachWalk,
} from "@snap/snapshot/reach";
import type { NamedRecord } from "@snap/snapshot/records";
import type { StoreOptions } from "@snap/store";

/** Cost of a directory without entries, in bytes read. */
const DIRECTORY_COST = 4096;
/** Cost of an entry. */
const ENTRY_COST = 256;

/** Says what a walk goes into, and takes what it finds. */
export interface Gate {
  /**
   * Whether something is gone into or counted: a directory, by the id of its page
   * and the kind of attributes, or an object.
   *
   * @param ids Bytes with the id, from `start` on.
   */
  enters(ids: Uint8Array, start: number, kind: number): boolean;
  /** Takes an object that was entered. */
  take(place: Location): void;
}

/** What a walk takes for the directories that it has seen: a gate decides. */
class GatedSet extends IdSet {
  readonly #gate: Gate;

  constructor(gate: Gate) {
    super();
    this.#gate = gate;
  }

  // The page names the tree: its id is enough.
  override addPair(pages: Uint8Array, start: number): boolean {
    return this.#gate.enters(pages, start, ObjectKind.attributes);
  }
}

/** Goes through the objects that records need, as they are stored: trees, pages, content, recipes and chunks. */
export class NeededWalk {
  readonly #reader: StoreReader;
  readonly #options: StoreOptions;
  readonly #pacer: Pacer;

  constructor(reader: StoreReader, options: StoreOptions) {
    this.#reader = reader;
    this.#options = options;
    this.#pacer = new Pacer(options);
  }

  /**
   * Hands what a record needs to a gate.
   *
   * @throws {DamageError} If a tree, page or recipe is damaged in every copy.
   * @throws {ObjectNotFoundError} If no pack holds an object.
   */
  async walk(record: NamedRecord, gate: Gate): Promise<void> {
    const seen = new GatedSet(gate);
    const walk = new ReachWalk(this.#reader, record, {
      ...this.#options,
      seen,
    });
    for (;;) {
      const directory = await walk.next();
      if (directory === undefined) return;
      await this.#directory(directory, gate);
    }
  }

  async #directory(directory: ReachedDirectory, gate: Gate): Promise<void> {
    const { treeId, pageId, tree } = directory;
    // The page was entered with the directory.
    await this.#take(pageId, ObjectKind.attributes, gate);
    if (gate.enters(treeId, 0, ObjectKind.tree)) {
      await this.#take(treeId, ObjectKind.tree, gate);
    }
    for (const { ids, idStart } of contentsOf(directory)) {
      const pending = this.#content(ids, idStart, gate);
      if (pending !== undefined) await pending;
    }
    const cost = DIRECTORY_COST + ENTRY_COST * tree.count;
    const turn = this.#pacer.yield(cost);
    if (turn !== undefined) await turn;
  }

  /** Content or a chunk; a promise only where something has to be read. */
  #content(
    ids: Uint8Array,
    start: number,
    gate: Gate,
  ): Promise<void> | undefined {
    if (!gate.enters(ids, start, ObjectKind.content)) return undefined;
    const place = this.#reader.index.contentNow(ids, start);
    if (place === undefined || place === "recipe") {
      const id = ids.slice(start, start + ID_SIZE);
      return this.#take(id, ObjectKind.content, gate);
    }
    gate.take(place);
    return undefined;
  }

  async #take(id: Uint8Array, kind: number, gate: Gate): Promise<void> {
    const place = await this.#reader.index.locate(id, kind, this.#options);
    if (place !== undefined) gate.take(place);
    else await this.#recipe(id, kind, gate);
  }

  /** A node of a recipe, and what is below it. */
  async #recipe(id: Uint8Array, kind: number, gate: Gate): Promise<void> {
    const { recipe } = ObjectKind;
    const place = await this.#reader.index.locate(id, recipe, this.#options);
    const bytes = await this.#reader.readStored(id, recipe, this.#options);
    if (place === undefined || bytes === undefined) {
      throw new ObjectNotFoundError(id, kind);
    }
    gate.take(place);
    const node = RecipeNode.decode(bytes, this.#reader.hasher);
    for (let row = 0; row < node.count; row++) {
      const start = node.idStart(row);
      const rowKind = node.rowKind(row);
      if (rowKind === RecipeRowKind.chunk) {
        const pending = this.#content(bytes, start, gate);
        if (pending !== undefined) await pending;
      } else if (
        rowKind === RecipeRowKind.node && gate.enters(bytes, start, recipe)
      ) {
        const below = bytes.slice(start, start + ID_SIZE);
        await this.#recipe(below, recipe, gate);
      }
    }
    const turn = this.#pacer.yield(bytes.length);
    if (turn !== undefined) await turn;
  }
}

/** Bytes of a frame that are an object's. */
export function storedBytes(place: Location): number {
  return place.storedSize * place.size / place.plainSize;
}
