import type { StoreIndex } from "@snap/pack/read";
import { hasNoPackList, listPacks, PackSet } from "@snap/pack/index";
import type { ReadStore, StoreOptions } from "@snap/store";

/** Packs that are asked for at once. */
const ASKED_AT_ONCE = 8;

/**
 * Finds the packs of a store. A store without a list of them is asked for each that
 * the index names.
 *
 * @throws {StoreError} If the store fails.
 */
export async function presentPacks(
  store: ReadStore,
  index: StoreIndex,
  options: StoreOptions,
): Promise<PackSet> {
  try {
    return await listPacks(store, options);
  } catch (error) {
    if (!hasNoPackList(error)) throw error;
    return await askForPacks(store, index, options);
  }
}

async function askForPacks(
  store: ReadStore,
  index: StoreIndex,
  options: StoreOptions,
): Promise<PackSet> {
  const ids = new Map<string, Uint8Array>();
  for await (const batch of index.packs(options)) {
    for (const { packName, packId } of batch) ids.set(packName, packId);
  }
  const names = [...ids.keys()];
  const packs: { id: Uint8Array; size: number }[] = [];
  for (let at = 0; at < names.length; at += ASKED_AT_ONCE) {
    const answers = names.slice(at, at + ASKED_AT_ONCE).map(async (name) => {
      const size = await store.size(name, options);
      if (size !== undefined) packs.push({ id: ids.get(name)!, size });
    });
    await Promise.allSettled(answers); // Whoever started work waits for its end.
    await Promise.all(answers);
  }
  return PackSet.from(packs);
}
