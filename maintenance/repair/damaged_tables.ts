import { openIndex, openRanges } from "@snap/pack/read";
import { Pacer } from "@snap/posix/pacer";
import type { Snapshots } from "@snap/snapshot";
import { IndexCheck, newVerifyProgress } from "@snap/snapshot/verify";
import type { ReadStore, StoreOptions } from "@snap/store";

/**
 * Finds index tables of which any byte is damaged, and that no other replaces. A run
 * that writes goes without them, as it looks into tables page by page.
 *
 * @param snapshots The store.
 * @param options What ends the wait.
 * @returns Their names.
 */
export async function damagedTables(
  { store, hasher }: Snapshots<ReadStore>,
  options: StoreOptions,
): Promise<string[]> {
  const { signal } = options;
  const storeOptions = { signal };
  const ranges = await openRanges(store);
  try {
    const how = { signal, hasher, ranges };
    const { index, damaged } = await openIndex(store, how);
    const names = [...damaged];
    const check = new IndexCheck(hasher);
    const counts = newVerifyProgress();
    const pacer = new Pacer({ signal });
    const parts = { ranges, counts, pacer, storeOptions };
    for (const file of index.liveTables) {
      const { problems } = await check.check(file, parts);
      if (problems.length > 0) names.push(file.name);
    }
    return names;
  } finally {
    await ranges[Symbol.asyncDispose]();
  }
}
