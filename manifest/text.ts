/**
 * The text form of trees: one line for each entry.
 *
 * A line has what the id covers, then, only when asked for, attributes, then the
 * path: `- af1349…3262 0 rw-r--r-- ann users 2026-11-20T05:46:18.123456789Z notes.txt`.
 * Fields are separated by one space and never padded, so that two texts differ only
 * in the lines of entries that differ. Only the path, which is last, has spaces.
 *
 * | first | entry | second | third |
 * | --- | --- | --- | --- |
 * | `-` | file | id | size |
 * | `x` | file its owner may execute | id | size |
 * | `d` | directory | `-`, or its id when asked for | `-` |
 * | `l` | symbolic link | target | `-` |
 * | `p` | fifo | `-` | `-` |
 * | `c`, `b` | character device, block device | major`:`minor | `-` |
 *
 * @module
 */
import type { DiffSide } from "./diff_cursor.ts";
import { diffTrees } from "./diff.ts";
import { EntryKind, isDeviceKind, isFileKind } from "./entry_kind.ts";
import type { EntryRow } from "./entry_row.ts";
import { formatTime } from "./time.ts";
import { displayPath } from "./path/path.ts";

const KIND_LETTERS = "?-xdlpcb";
const RWX = ["---", "--x", "-w-", "-wx", "r--", "r-x", "rw-", "rwx"];

/** Options of the text form. */
export interface TextOptions {
  /**
   * Digits shown of each id, 1 to 64.
   *
   * @default {64}
   */
  readonly idDigits?: number;
  /**
   * Whether directories show the id of their tree. It changes with everything below.
   *
   * @default {false}
   */
  readonly treeIds?: boolean;
  /**
   * Whether lines have mode, owner and modification time; `-` where there is no page.
   *
   * @default {false}
   */
  readonly attributes?: boolean;
  /** Ends {@linkcode formatTrees}. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a mode as nine letters, as `ls` does.
 *
 * @param mode The 12 permission bits.
 * @returns Text like `rwxr-sr-t`.
 */
export function formatMode(mode: number): string {
  const special = (bit: number, rwx: string, letter: string): string => {
    if ((mode & bit) === 0) return rwx;
    return rwx.slice(0, 2) + (rwx[2] === "x" ? letter : letter.toUpperCase());
  };
  return special(0o4000, RWX[(mode >> 6) & 7], "s") +
    special(0o2000, RWX[(mode >> 3) & 7], "s") +
    special(0o1000, RWX[mode & 7], "t");
}

function formatId(bytes: Uint8Array, digits: number): string {
  let text = "";
  for (const byte of bytes) text += (byte < 16 ? "0" : "") + byte.toString(16);
  return text.slice(0, digits);
}

/** Writes bytes without a space. */
function formatField(bytes: Uint8Array): string {
  return displayPath(bytes).replaceAll(" ", "%20");
}

function formatOwnerName(name: Uint8Array, id: number): string {
  return name.length === 0 ? String(id) : formatField(name);
}

function formatContent({ tree, row }: EntryRow, options: TextOptions): string {
  const { idDigits = 64, treeIds = false } = options;
  const kind = row < 0 ? EntryKind.directory : tree.kind(row);
  const letter = KIND_LETTERS[kind];
  if (isFileKind(kind)) {
    return `${letter} ${formatId(tree.idBytes(row), idDigits)} ${
      tree.size(row)
    }`;
  }
  if (kind === EntryKind.symlink) {
    return `${letter} ${formatField(tree.target(row))} -`;
  }
  if (isDeviceKind(kind)) {
    return `${letter} ${tree.deviceMajor(row)}:${tree.deviceMinor(row)} -`;
  }
  const hasId = treeIds && kind === EntryKind.directory && row >= 0;
  return `${letter} ${hasId ? formatId(tree.idBytes(row), idDigits) : "-"} -`;
}

function formatAttributes({ page, row }: EntryRow): string {
  if (page === undefined) return "- - - -";
  const at = row + 1;
  const user = formatOwnerName(page.userName(at), page.uid(at));
  const group = formatOwnerName(page.groupName(at), page.gid(at));
  const plus = page.hasExtras(at) ? "+" : "";
  const time = formatTime(page.mtimeSec(at), page.mtimeNs(at));
  return `${formatMode(page.mode(at))}${plus} ${user} ${group} ${time}`;
}

/**
 * Writes the line of one entry, without a line break. With attributes, a `+` after
 * the mode says that there are extended attributes or holes; not for a directory
 * below the root, whose attributes are in its own page.
 *
 * @example Write a line
 * ```ts
 * import { EntryKind } from "@snap/manifest/extras";
 * import { formatEntry } from "@snap/manifest/text";
 * import { joinPieces } from "@snap/manifest";
 * import { Tree } from "@snap/manifest";
 * import { TreeDraft } from "@snap/manifest/draft";
 * import { strictEqual } from "node:assert/strict";
 *
 * const text = new TextEncoder();
 * const names = text.encode("b");
 * const draft = new TreeDraft({ rowsMax: 1, names, ends: Uint32Array.of(1) });
 * draft.setTarget(draft.add(EntryKind.symlink), text.encode("../x y"));
 *
 * const tree = Tree.decode(joinPieces(draft.finish()));
 * strictEqual(formatEntry({ tree, row: 0 }, text.encode("a/b")), "l ../x%20y - a/b");
 * ```
 *
 * @param options What a line has.
 * @returns The line.
 */
export function formatEntry(
  entry: EntryRow,
  path: Uint8Array,
  options: TextOptions = {},
): string {
  const attributes = options.attributes ? ` ${formatAttributes(entry)}` : "";
  return `${formatContent(entry, options)}${attributes} ${displayPath(path)}`;
}

/**
 * Writes the lines of all entries below a directory, in the order of a walk.
 *
 * @param side The directory, and where its trees and pages come from.
 * @param options What a line has, and a signal.
 * @returns Batches of lines, without line breaks.
 * @throws {ManifestSyntaxError} If a page does not belong to its tree, or directories nest deeper than 1024.
 */
export async function* formatTrees(
  side: DiffSide,
  options: TextOptions = {},
): AsyncGenerator<string[]> {
  const { signal } = options;
  for await (const batch of diffTrees(undefined, side, signal && { signal })) {
    yield batch.map(({ after, path }) => formatEntry(after!, path, options));
  }
}
