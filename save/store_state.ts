import type { Hasher, Id } from "@snap/hash";
import type { ReadStore, StoreOptions } from "@snap/store";

/** What tells whether all that a record relies on is there, and stays. */
const PREFIXES = ["packs/", "index/", "gc/"] as const;

/**
 * Names the state of a store: its packs, its index tables, and what is known of
 * damage and removal. Where it is the same, nothing has come and nothing has gone.
 *
 * @param store The store.
 * @param hasher What hashes the names.
 * @param options What ends the wait.
 * @returns The hash of all their names.
 * @throws {StoreError} If the store fails.
 */
export async function storeState(
  store: ReadStore,
  hasher: Hasher,
  options: StoreOptions = {},
): Promise<Id> {
  const lists = await Promise.all(PREFIXES.map(async (prefix) => {
    const names: string[] = [];
    for await (const batch of store.list(prefix, options)) {
      for (const { name } of batch) names.push(name);
    }
    return names.sort();
  }));
  return hasher.idOf(new TextEncoder().encode(lists.flat().join("\n")));
}
