import type { CatalogSource } from "@snap/fuse/catalog";
import {
  parseRecordName,
  readRecord,
  RECORDS_PREFIX,
  taggedRecord,
} from "@snap/snapshot/records";
import type { Snapshots } from "@snap/snapshot";
import { TagStore } from "@snap/store/format";
import type { WriteStore } from "@snap/store";

/**
 * Makes the records and tags of a store known to a mount of all snapshots.
 *
 * @param snapshots The store.
 * @returns What the mount asks.
 */
export function storeCatalog(snapshots: Snapshots<WriteStore>): CatalogSource {
  const { store, hasher } = snapshots;
  const tags = new TagStore(store);
  return {
    async recordNames() {
      const names = [];
      for await (const batch of store.list(RECORDS_PREFIX)) {
        for (const { name } of batch) {
          const parsed = parseRecordName(name);
          if (parsed !== undefined) names.push(parsed);
        }
      }
      return names;
    },
    record: (name) => readRecord(store, name, { hasher }),
    tags: () => tags.heads(),
    tagNumbers: (tag) => tags.numbers(tag),
    async tagEntry(tag, number) {
      const entry = await tags.entry(tag, number);
      return entry === undefined ? undefined : taggedRecord(entry);
    },
  };
}
