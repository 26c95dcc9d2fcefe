import type { CatalogSource } from "@snap/fuse/catalog";
import {
  findRecord,
  listRecordNames,
  taggedRecord,
} from "@snap/snapshot/records";
import type { Snapshots } from "@snap/snapshot";
import { TagStore } from "@snap/store/format";
import type { WriteStore } from "@snap/store";

/** Makes the records and tags of a store known to a mount of all snapshots. */
export function storeCatalog(snapshots: Snapshots<WriteStore>): CatalogSource {
  const { store, hasher } = snapshots;
  const tags = new TagStore(store);
  return {
    recordNames: () => listRecordNames(store),
    record: (file) => findRecord(store, file, { hasher }),
    tags: () => tags.lastNumbers(),
    tagNumbers: (tag) => tags.numbers(tag),
    async tagEntry(tag, number) {
      const slot = await tags.slot(tag, number);
      if (slot === undefined) return undefined;
      const entry = taggedRecord(slot);
      if (slot.damage !== undefined) return entry;
      const { entry: { nonce }, head } = slot;
      return { ...entry, nonce, head: head.nonce };
    },
  };
}
