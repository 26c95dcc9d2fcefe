import { EntryKind, isDeviceKind } from "@snap/manifest/extras";
import { displayPath } from "@snap/manifest/path";
import { formatMode } from "@snap/manifest/text";
import { formatTime } from "@snap/manifest/time";
import type { ViewEntry } from "@snap/snapshot/view";
import type { JsonRecord } from "./json_line.ts";
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
  return { type: "entry", ...entry.toJSON() };
}
