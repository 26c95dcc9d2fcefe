import { EntryKind, isDeviceKind } from "@snap/manifest/extras";
import type { Tree } from "@snap/manifest";
import type { DeferredEntry } from "../write/deferred_entries.ts";

/**
 * Copies what a tree says of an entry that is made later.
 *
 * @returns What it is; nothing of it depends on the bytes of the tree.
 */
export function describeEntry(
  tree: Tree,
  row: number,
): Pick<DeferredEntry, "name" | "kind" | "size" | "to" | "device"> {
  const kind = tree.kind(row);
  const entry = { name: tree.name(row).slice(), kind, size: tree.size(row) };
  if (kind === EntryKind.symlink) {
    return { ...entry, to: tree.target(row).slice() };
  }
  if (!isDeviceKind(kind)) return entry;
  const device = { major: tree.deviceMajor(row), minor: tree.deviceMinor(row) };
  return { ...entry, device };
}
