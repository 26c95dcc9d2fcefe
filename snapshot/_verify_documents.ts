import { decodeDocument } from "@snap/store/document";
import { readDocument } from "@snap/store/read-document";
import type { ReadStore, StoreOptions } from "@snap/store/store";
import type { DamageLog } from "./_damage_log.ts";
import { fileDamageOf } from "./_damage_of.ts";

const SORTS = [
  { prefix: "config/", kind: "CONF", subject: "config" },
  { prefix: "tags/", kind: "TAGE", subject: "tag" },
] as const;

/** Checks that every config and every entry of a tag can be read. */
export async function verifyDocuments(
  store: ReadStore,
  log: DamageLog,
  options: StoreOptions,
): Promise<void> {
  for (const { prefix, kind, subject } of SORTS) {
    for await (const batch of store.list(prefix, options)) {
      for (const { name } of batch) {
        try {
          decodeDocument(kind, await readDocument(store, name, options));
        } catch (error) {
          options.signal?.throwIfAborted();
          const damage = fileDamageOf(error, subject, name);
          if (damage === undefined) throw error;
          log.add(damage);
        }
      }
    }
  }
}
