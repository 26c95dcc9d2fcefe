/**
 * Index tables written anew, without packs that are removed.
 *
 * @module
 */
import { openSpool } from "@snap/store/owner";
import type { IndexFile } from "../index/index_file.ts";
import { ObjectIndex } from "../index/object_index.ts";
import { openIndex } from "../index/open_index.ts";
import { listPacks, PackSet } from "../index/pack_set.ts";
import { StoreIndex } from "../index/store_index.ts";
import type { IndexedStore, RepairOptions } from "./index_repair.ts";
import { mergeIndexTables } from "./index_tables.ts";
import { LocalIndexFiles } from "./local_index_files.ts";
import { randomBytes } from "./pack_files.ts";

/** Options of {@linkcode dropPacks}. */
export interface DropPacksOptions extends RepairOptions {
  /** Names of the packs that are removed. */
  readonly removed: ReadonlySet<string>;
  /** Whether those go, too, that are not there: no record needs them. */
  readonly dropsLost: boolean;
}

/**
 * Writes the index tables anew that name packs which are removed, without these.
 * The old tables are replaced, and stay: who has opened one reads on in it.
 *
 * @param place The store.
 * @param options Which packs are removed.
 * @returns How many tables were replaced.
 * @throws {IndexSyntaxError} If a table is damaged.
 * @throws {StoreError} If the store fails.
 */
export async function dropPacks(
  { store, hasher }: IndexedStore,
  options: DropPacksOptions,
): Promise<number> {
  const { random = randomBytes, now = Date.now, signal } = options;
  const { index } = await openIndex(store, { hasher, signal });
  // After the tables: what one of them names was there before it.
  const packs = options.dropsLost
    ? await listPacks(store, { signal })
    : undefined;
  const tables: IndexFile[] = [];
  const present = new Map<string, { id: Uint8Array; size: number }>();
  for (const table of index.liveTables) {
    let isTouched = false;
    const own = new ObjectIndex();
    own.addTables([table]);
    for await (const batch of new StoreIndex(own, store).packs({ signal })) {
      for (const pack of batch) {
        const { packName, packId: id, packSize: size } = pack;
        const isLost = packs !== undefined && packs.sizeOf(id, 0) < 0;
        if (isLost || options.removed.has(packName)) isTouched = true;
        else present.set(packName, { id, size });
      }
    }
    if (isTouched) tables.push(table);
  }
  if (tables.length === 0) return 0;
  const saveId = random(16);
  const spool = await openSpool(store, saveId);
  const files = new LocalIndexFiles(store);
  try {
    await files.add(tables, { signal });
    await mergeIndexTables({
      store,
      hasher,
      saveId,
      random,
      timeMs: now(),
      spoolPath: `${spool.path}-index`,
      packs: [],
      merge: files.files,
      present: PackSet.from(present.values()),
      signal,
    });
    await store.sync(["index/"], { signal });
  } finally {
    files[Symbol.dispose]();
    spool[Symbol.dispose]();
  }
  return tables.length;
}
