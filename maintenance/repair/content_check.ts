import { ObjectKind } from "@snap/pack";
import { RecipeNode, RecipeReader, RecipeRowKind } from "@snap/pack/recipe";
import type { StoreReader } from "@snap/pack/read";
import { IdSet } from "@snap/snapshot/reach";
import type { StoreOptions } from "@snap/store";
import { isLoss } from "./careful_reader.ts";

const { content, recipe } = ObjectKind;

/**
 * Tells whether content can be had: it lies in packs that are there and sound, as far
 * as is known, or is read out of a damaged one. Each content is looked for once.
 */
export class ContentCheck {
  readonly #reader: StoreReader;
  readonly #options: StoreOptions;
  readonly #sound = new IdSet();
  readonly #lost = new IdSet();

  /**
   * Looks for nothing yet.
   *
   * @param reader A reader whose index knows bad packs.
   * @param options What ends the wait.
   */
  constructor(reader: StoreReader, options: StoreOptions) {
    this.#reader = reader;
    this.#options = options;
  }

  /** Whether content of this id and size can be had; a promise where something has to be read. */
  isSound(
    ids: Uint8Array,
    at: number,
    size: number,
  ): boolean | Promise<boolean> {
    if (this.#sound.has(ids, at, size, content)) return true;
    if (this.#lost.has(ids, at, size, content)) return false;
    const { index } = this.#reader;
    const place = index.contentNow(ids, at);
    if (
      typeof place === "object" && place.size === size &&
      !index.index.isBad(place)
    ) {
      return this.#sound.add(ids, at, size, content);
    }
    return this.#look(ids.slice(at, at + 32), size);
  }

  async #look(id: Uint8Array, size: number): Promise<boolean> {
    const isSound = await this.#isWhole(id, size) ||
      await this.#hasChunks(id, size);
    (isSound ? this.#sound : this.#lost).add(id, 0, size, content);
    return isSound;
  }

  /** Whether an object of this size can be read, or lies in a pack that is not bad. */
  async #isWhole(id: Uint8Array, size: number): Promise<boolean> {
    const { index } = this.#reader;
    return await this.#tryRead(async () => {
      const place = await index.locate(id, content, this.#options);
      if (place?.size !== size) return false;
      if (!index.index.isBad(place)) return true;
      const options = this.#options;
      return await this.#reader.readStored(id, content, options) !== undefined;
    });
  }

  async #hasChunks(id: Uint8Array, size: number): Promise<boolean> {
    const { hasher } = this.#reader;
    return await this.#tryRead(async () => {
      const options = this.#options;
      const bytes = await this.#reader.readStored(id, recipe, options);
      if (bytes === undefined) return false;
      const root = RecipeNode.decode(bytes, hasher);
      const rows = new RecipeReader({ hasher, id, kind: content, size, root });
      for (let step = rows.next(); step !== "end"; step = rows.next()) {
        if (step === "node") {
          rows.give(await this.#reader.readNode(rows.wanted, options));
        } else if (rows.rowKind === RecipeRowKind.chunk) {
          const chunk = rows.ids.slice(rows.idStart, rows.idStart + 32);
          if (!await this.#isWhole(chunk, rows.size)) return false;
        }
      }
      return true;
    });
  }

  async #tryRead(read: () => Promise<boolean>): Promise<boolean> {
    try {
      return await read();
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (!isLoss(error)) throw error;
      return false;
    }
  }
}
