/**
 * Entries as fields of JSON.
 *
 * @module
 */
import { idFromBytes } from "@snap/hash";
import type { AttributePage, EntryRow } from "@snap/manifest";
import {
  EntryKind,
  entryKindName,
  isDeviceKind,
  isFileKind,
} from "@snap/manifest/extras";
import { jsonPath } from "@snap/manifest/path";
import { formatTime } from "@snap/manifest/time";

/**
 * Writes what a tree and a page say of an entry, for JSON: all but its path.
 *
 * @returns The fields.
 */
export function rowFields(entry: EntryRow): Record<string, unknown> {
  const { tree, row, page } = entry;
  const kind = row < 0 ? EntryKind.directory : tree.kind(row);
  return {
    kind: entryKindName(kind),
    ...(isFileKind(kind) &&
      { size: tree.size(row), id: idFromBytes(tree.idBytes(row)) }),
    ...(kind === EntryKind.symlink && jsonPath("target", tree.target(row))),
    ...(isDeviceKind(kind) && {
      deviceMajor: tree.deviceMajor(row),
      deviceMinor: tree.deviceMinor(row),
    }),
    ...(page && pageFields(page, row + 1)),
  };
}

function pageFields(page: AttributePage, row: number): Record<string, unknown> {
  return {
    mode: page.mode(row),
    modified: formatTime(page.mtimeSec(row), page.mtimeNs(row)),
    uid: page.uid(row),
    gid: page.gid(row),
    ...jsonPath("user", page.userName(row)),
    ...jsonPath("group", page.groupName(row)),
    linkCount: page.nlink(row),
    hasExtras: page.hasExtras(row),
  };
}
