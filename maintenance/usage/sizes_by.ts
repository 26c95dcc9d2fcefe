import type { EntryRow } from "@snap/manifest";
import type { Change } from "@snap/manifest/diff";
import type { Batched } from "@snap/snapshot/view";
import { isFileKind } from "@snap/manifest/extras";
import { pathToText } from "@snap/manifest/path";

/** Longest ending that counts as a type, in characters. */
const TYPE_SIZE_MAX = 16;
/** Most rows where nothing else is said. */
const ROWS_MAX = 100_000;
/** Name of the row of what has no room of its own. */
const OTHERS = "(others)";

/** Options of {@linkcode sizesBy}. */
export interface SizesByOptions {
  /** What makes a row. */
  readonly by: "directory" | "type";
  /**
   * Directories on the way from the root that make a row.
   *
   * @default {1}
   */
  readonly depth?: number;
  /**
   * Most rows; what has no room is one row, `(others)`.
   *
   * @default {100000}
   */
  readonly rowsMax?: number;
}

/** Files of one directory or type: how many, and how many more than before. */
export interface SizeRow {
  /** A path, as a byte string of the format, `.` for the root; or an ending, such as `.ts`, empty for none. */
  readonly name: string;
  /** Files that there are more, or fewer. */
  readonly fileCount: number;
  /** Plain bytes that there are more, or fewer. */
  readonly byteCount: number;
}

/**
 * Adds up sizes of files, of what one snapshot has more than another: with nothing
 * before it, all that it has.
 *
 * @param changes What has changed, as `diffSnapshots` tells it.
 * @param options What makes a row.
 * @returns The rows, those that have grown most first.
 *
 * @example Types of files that were added
 * ```ts
 * import { sizesBy } from "@snap/maintenance/usage";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { save } from "@snap/save";
 * import { openSnapshots } from "@snap/snapshot";
 * import { diffSnapshots, snapshotSide } from "@snap/snapshot/query";
 * import { DEFAULT_SETTINGS, formatSettings, initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { deepStrictEqual } from "node:assert/strict";
 * import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
 *
 * const folder = mkdtempSync("/tmp/snap-sizes-");
 * writeFileSync(`${folder}/a.ts`, "12345");
 * writeFileSync(`${folder}/b.ts`, "123");
 * const store = new MemoryStore();
 * await initStore(store, formatSettings(DEFAULT_SETTINGS));
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * const { record } = await save(snapshots, folder, { workers: 0 });
 * rmSync(folder, { recursive: true });
 *
 * await snapshots.refresh();
 * const side = snapshotSide(await snapshots.reader(), record, { attributes: false });
 * const rows = await sizesBy(diffSnapshots(undefined, side), { by: "type" });
 * deepStrictEqual(rows, [{ name: ".ts", fileCount: 2, byteCount: 8 }]);
 * ```
 */
export async function sizesBy(
  changes: Batched<Change>,
  options: SizesByOptions,
): Promise<SizeRow[]> {
  const { by, depth = 1, rowsMax = ROWS_MAX } = options;
  const rows = new Map<string, { fileCount: number; byteCount: number }>();
  for await (const batch of changes.batches()) {
    for (const { path, before, after } of batch) {
      const was = sizeOf(before), is = sizeOf(after);
      if (was === undefined && is === undefined) continue;
      const wanted = by === "type" ? typeOf(path) : directoryOf(path, depth);
      const isRoom = rows.has(wanted) || rows.size < rowsMax;
      const name = isRoom ? wanted : OTHERS;
      const row = rows.get(name) ?? { fileCount: 0, byteCount: 0 };
      rows.set(name, row);
      row.fileCount += Number(is !== undefined) - Number(was !== undefined);
      row.byteCount += (is ?? 0) - (was ?? 0);
    }
  }
  return Array.from(rows, ([name, row]) => ({ name, ...row }))
    .filter(({ fileCount, byteCount }) => fileCount !== 0 || byteCount !== 0)
    .sort((a, b) => b.byteCount - a.byteCount || (a.name < b.name ? -1 : 1));
}

/** Size of a file; undefined for what is none. */
function sizeOf(entry: EntryRow | undefined): number | undefined {
  if (entry === undefined || entry.row < 0) return undefined;
  const { tree, row } = entry;
  return isFileKind(tree.kind(row)) ? tree.size(row) : undefined;
}

const SLASH = 0x2f;
const DOT = 0x2e;

/** The first directories of the path of a file. */
function directoryOf(path: Uint8Array, depth: number): string {
  let end = 0;
  for (let at = 0, left = depth; at < path.length && left > 0; at++) {
    if (path[at] !== SLASH) continue;
    end = at;
    left--;
  }
  return end === 0 ? "." : pathToText(path.subarray(0, end));
}

/** The ending of a name with its dot, in lower case; none of `.profile` and `Makefile`. */
function typeOf(path: Uint8Array): string {
  const start = path.lastIndexOf(SLASH) + 1;
  const dot = path.lastIndexOf(DOT);
  if (dot <= start || path.length - dot > TYPE_SIZE_MAX) return "";
  return pathToText(path.subarray(dot)).toLowerCase();
}
