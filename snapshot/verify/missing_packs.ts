import { idToBytes } from "@snap/hash";
import type { StoreIndex } from "@snap/pack/read";
import type { Location } from "@snap/pack";
import type { PackSet } from "@snap/pack/index";
import type { FoundDamage } from "./damage_log.ts";

/** Missing objects for which the index is asked which pack should hold them. */
const ASKED_MAX = 1000;

/** Names the packs that missing objects should be in. */
export class MissingPacks {
  readonly #index: StoreIndex;
  readonly #present: PackSet;
  #askedCount = 0;

  constructor(index: StoreIndex, present: PackSet) {
    this.#index = index;
    this.#present = present;
  }

  /** Adds the pack to what is known of a missing object. */
  async name(found: FoundDamage): Promise<FoundDamage> {
    const { reason, storeName, id, kind } = found;
    if (
      reason !== "missing" || storeName !== undefined || id === undefined ||
      kind === undefined || this.#askedCount++ >= ASKED_MAX
    ) return found;
    try {
      const [copy] = await this.#copies(idToBytes(id), kind);
      return copy === undefined
        ? found
        : { ...found, storeName: copy.packName };
    } catch {
      // What is wrong with the index was said when the object was looked up.
      return found;
    }
  }

  /** The copies of an object, also those in packs that are not there. */
  async #copies(id: Uint8Array, kind: number): Promise<Location[]> {
    const { index } = this.#index;
    return await this.#index.ask(() => {
      // Rows of packs that are not there count for this one question.
      index.setPresentPacks(undefined);
      try {
        return index.locateAll(id, 0, kind);
      } finally {
        index.setPresentPacks(this.#present);
      }
    });
  }
}
