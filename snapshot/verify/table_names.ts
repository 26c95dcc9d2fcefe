import { INDEX_PREFIX } from "@snap/pack";
import type { StoreOptions } from "@snap/store";
import type { VerifySource } from "./verify_options.ts";

/** The names of the index tables: whoever removes a pack writes some before. */
export class TableNames {
  readonly #store: VerifySource["store"];
  readonly #options: StoreOptions;
  #names = "";

  constructor({ store }: VerifySource, { signal }: StoreOptions) {
    this.#store = store;
    this.#options = { signal };
  }

  /** Whether they are others than those that were listed before. */
  async hasChanged(): Promise<boolean> {
    const names: string[] = [];
    for await (const batch of this.#store.list(INDEX_PREFIX, this.#options)) {
      for (const { name } of batch) names.push(name);
    }
    const before = this.#names;
    this.#names = names.sort().join();
    return before !== this.#names;
  }
}
