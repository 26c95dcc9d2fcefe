import type { Id } from "@snap/hash";
import { listTags } from "@snap/snapshot/records";
import type { ReadStore, StoreOptions } from "@snap/store";

/**
 * Tells which tags name which records.
 *
 * @returns By record the tags, by name.
 * @throws {DocumentSyntaxError} If the last entry of a tag is damaged: then it is not known what it names.
 * @throws {StoreError} If the store fails.
 */
export async function tagsByRecord(
  snapshots: { readonly store: ReadStore },
  options: StoreOptions,
): Promise<Map<Id, string[]>> {
  const heads = new Map<Id, string[]>();
  for (const { tag, name, damage } of await listTags(snapshots, options)) {
    if (damage !== undefined) throw damage;
    if (name === undefined) continue;
    heads.set(name.record, [...heads.get(name.record) ?? [], tag]);
  }
  return heads;
}
