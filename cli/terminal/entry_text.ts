import {
  EntryKind,
  entryKindName,
  isDeviceKind,
  isFileKind,
} from "@snap/manifest/extras";
import { displayPath } from "@snap/manifest/path";
import { formatMode } from "@snap/manifest/text";
import { idFromBytes } from "@snap/hash";
import type { AttributePage, EntryRow } from "@snap/manifest";
import { formatTime } from "@snap/manifest/time";
import type { ViewEntry } from "@snap/snapshot/view";
import { jsonPath, type JsonRecord } from "./json_line.ts";
import type { Column } from "./table.ts";
import { formatLocalTime, formatSize } from "./units.ts";

const LS_LETTERS = "?--dlpcb";

/** The columns of a long listing. */
export const LONG_COLUMNS: readonly Column[] = [
  { title: "mode" },
  { title: "user" },
  { title: "group" },
  { title: "size", isNumber: true },
  { title: "modified" },
];
/** Colours of entries by kind, as of `ls`. */
const COLORS: Readonly<Partial<Record<EntryKind, string>>> = {
  [EntryKind.executable]: "32",
  [EntryKind.directory]: "1;34",
  [EntryKind.symlink]: "36",
  [EntryKind.fifo]: "33",
  [EntryKind.characterDevice]: "33",
  [EntryKind.blockDevice]: "33",
};
/** Marks behind names by kind, as of `ls -F`. */
const MARKS = ["", "", "*", "/", "@", "|", "", ""];

/** Writes what stands before the name in a long listing. */
export function longRow(entry: ViewEntry, isForPeople: boolean): string[] {
  const { kind, attributes } = entry;
  const time = formatTime(attributes.mtimeSec, attributes.mtimeNs);
  const size = isForPeople ? formatSize(entry.size) : String(entry.size);
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
  ];
}

/** Options of showing names. */
export interface NameOptions {
  /** Whether a sign behind the name tells the kind. */
  readonly isMarked: boolean;
  /** Whether a colour does. */
  readonly hasColor: boolean;
  /** Whether a link is followed by its target. */
  readonly hasTarget: boolean;
}

/** Writes the name of an entry. */
export function nameText(
  { kind, target }: ViewEntry,
  name: Uint8Array,
  options: NameOptions,
): string {
  const color = options.hasColor ? COLORS[kind] : undefined;
  const shown = displayPath(name);
  const text = color === undefined ? shown : `\x1b[${color}m${shown}\x1b[0m`;
  if (options.hasTarget && kind === EntryKind.symlink) {
    return `${text} -> ${displayPath(target)}`;
  }
  return options.isMarked ? text + MARKS[kind] : text;
}

function ownerText(name: Uint8Array, id: number): string {
  return name.length === 0 ? String(id) : displayPath(name);
}

/**
 * Writes an entry for JSON.
 *
 * @returns A line of type `entry`.
 */
export function entryRecord(entry: ViewEntry): JsonRecord {
  const id = entry.kind === EntryKind.directory ? { id: entry.id } : {};
  const path = jsonPath("path", entry.path);
  return { type: "entry", ...path, ...rowRecord(entry), ...id };
}

/** Writes what a tree and a page say of an entry, for JSON. */
export function rowRecord(entry: EntryRow): Record<string, unknown> {
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
    ...(page && pageRecord(page, row + 1)),
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
