import { EntryKind, isDeviceKind, isFileKind } from "@snap/manifest/entry-kind";
import { displayPath } from "@snap/manifest/path";
import { formatMode, formatTime } from "@snap/manifest/text";
import { idFromBytes } from "@snap/hash/id";
import type { AttributePage } from "@snap/manifest/attribute-page";
import type { EntryRow } from "@snap/manifest/entry-row";
import type { ViewEntry } from "@snap/snapshot/view-entry";
import { jsonPath, type JsonRecord } from "./json_line.ts";
import type { Column } from "./table.ts";
import { formatLocalTime, formatSize } from "./units.ts";

/** Kinds of entries by number, as JSON names them. */
const KIND_NAMES = [
  "",
  "file",
  "executable",
  "directory",
  "symlink",
  "fifo",
  "characterDevice",
  "blockDevice",
] as const;
const LS_LETTERS = "?--dlpcb";

/** The columns of a long listing. */
export const LONG_COLUMNS: readonly Column[] = [
  { title: "mode" },
  { title: "user" },
  { title: "group" },
  { title: "size", isNumber: true },
  { title: "modified" },
  { title: "name" },
];

/**
 * Writes an entry as a row of a long listing.
 *
 * @param entry The entry.
 * @param name The name or path to show.
 * @param isForPeople Whether sizes have units and times are local.
 * @returns One text for each of {@linkcode LONG_COLUMNS}.
 */
export function longRow(
  entry: ViewEntry,
  name: Uint8Array,
  isForPeople: boolean,
): string[] {
  const { kind, attributes, target } = entry;
  const time = formatTime(attributes.mtimeSec, attributes.mtimeNs);
  const size = isForPeople ? formatSize(entry.size) : String(entry.size);
  const arrow = kind === EntryKind.symlink ? ` -> ${displayPath(target)}` : "";
  return [
    LS_LETTERS[kind] + formatMode(attributes.mode) +
    (entry.page.hasExtras(entry.row + 1) ? "+" : ""),
    ownerText(attributes.userName, attributes.uid),
    ownerText(attributes.groupName, attributes.gid),
    isDeviceKind(kind)
      ? `${entry.deviceMajor}, ${entry.deviceMinor}`
      : kind === EntryKind.directory && isForPeople
      ? "-"
      : size,
    isForPeople ? formatLocalTime(time) : time,
    displayPath(name) + arrow,
  ];
}

function ownerText(name: Uint8Array, id: number): string {
  return name.length === 0 ? String(id) : displayPath(name);
}

/**
 * Writes an entry for JSON.
 *
 * @param entry The entry.
 * @returns A line of type `entry`.
 */
export function entryRecord(entry: ViewEntry): JsonRecord {
  const id = entry.kind === EntryKind.directory
    ? { id: idFromBytes(entry.id) }
    : {};
  const path = jsonPath("path", entry.path);
  return { type: "entry", ...path, ...rowRecord(entry), ...id };
}

/**
 * Writes what a tree and a page say of an entry, for JSON.
 *
 * @param entry The entry.
 * @returns The fields.
 */
export function rowRecord(entry: EntryRow): Record<string, unknown> {
  const { tree, row, page } = entry;
  const kind = row < 0 ? EntryKind.directory : tree.kind(row);
  return {
    kind: KIND_NAMES[kind],
    ...(isFileKind(kind)
      ? { size: tree.size(row), id: idFromBytes(tree.idBytes(row)) }
      : {}),
    ...(kind === EntryKind.symlink ? jsonPath("target", tree.target(row)) : {}),
    ...(isDeviceKind(kind)
      ? {
        deviceMajor: tree.deviceMajor(row),
        deviceMinor: tree.deviceMinor(row),
      }
      : {}),
    ...(page === undefined ? {} : pageRecord(page, row + 1)),
  };
}

function pageRecord(page: AttributePage, row: number): Record<string, unknown> {
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
