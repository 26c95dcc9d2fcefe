import { NAME_SIZE_MAX } from "@snap/manifest/extras";
import {
  AT_SYMLINK_NOFOLLOW,
  DT_DIR,
  DT_SOCK,
  DT_UNKNOWN,
  S_IFDIR,
  S_IFMT,
  S_IFSOCK,
} from "@snap/posix/constants";
import { StatTable } from "@snap/posix/stat-table";
import { CACHE_TAG_NAME, holdsCacheTag } from "../ignore/cache_tag.ts";
import { RULE_FILE_SIZE_MAX, type RuleScope } from "../ignore/ignore_rules.ts";
import { isFile } from "../file_identity.ts";
import type { Listing } from "../listing.ts";
import { readNamedFile } from "../read_whole_file.ts";
import { joinName } from "../bytes.ts";
import type { SourceWalk } from "./source_walk.ts";

/** Rows of a step. */
export const STEP_ROWS = 4096;
/** Names that are copied in a step. */
const NAMES_A_STEP = 1 << 17;

/** The directory whose rows are wanted. */
export interface ListedDirectory {
  readonly fd: number;
  readonly path: Uint8Array;
  readonly scope: RuleScope;
  readonly isRoot: boolean;
  /** Stats of the rows of a step, for one step after another; absent to keep all. */
  readonly window: StatTable | undefined;
}

/** The rows of one directory so far, and the rules with its own rule file. */
export interface ListedRows {
  /** Rows there may be at most; nothing as long as names are read. */
  rowsMax: number | undefined;
  /** The row in row 0 of the stats. */
  first: number;
  count: number;
  names: Uint8Array;
  ends: Uint32Array;
  stats: StatTable;
  scope: RuleScope;
}

/** No rows so far. */
export function noRows(scope: RuleScope): ListedRows {
  return {
    rowsMax: undefined,
    first: 0,
    count: 0,
    names: EMPTY_NAMES,
    ends: EMPTY_ENDS,
    stats: EMPTY_STATS,
    scope,
  };
}

const EMPTY_NAMES = new Uint8Array(0);
const EMPTY_ENDS = new Uint32Array(0);
const EMPTY_STATS = new StatTable(0);

/** Lists a directory: read, sort, leave out, stat. Yields between two steps. */
export function* listRows(
  walk: SourceWalk,
  directory: ListedDirectory,
  rows: ListedRows,
): Generator<void> {
  const types = yield* readNames(walk, directory, rows);
  const { rowsMax = 0 } = rows;
  rows.stats = directory.window ?? new StatTable(rowsMax);
  const item: Item = { type: 0, start: 0, end: 0 };
  for (let i = 0; i < rowsMax; i++) {
    if (i > 0 && i % STEP_ROWS === 0) {
      yield;
      if (directory.window !== undefined) rows.first = rows.count;
    }
    // Rows replace names that have been looked at.
    item.type = types[i];
    item.start = item.end;
    item.end = rows.ends[i];
    addRow(walk, directory, rows, item);
  }
}

/** The name in hand. */
interface Item {
  type: number;
  /** Its first byte in the names. */
  start: number;
  end: number;
}

/** Reads the names in ascending order, and returns their types. */
function* readNames(
  walk: SourceWalk,
  directory: ListedDirectory,
  rows: ListedRows,
): Generator<void, Uint8Array> {
  const listing = walk.listing.unused();
  listing.isInUse = true;
  try {
    const result = yield* listing.readInSteps(walk.calls, directory.fd);
    if (result < 0) walk.fail("list directory", directory.path, result);
    rows.scope = readRuleFile(walk, listing, directory);
    const tag = cacheTag(walk, listing, directory);
    if (tag >= 0) walk.drops.ignored += listing.count - 1;
    return yield* takeNames(listing, rows, tag);
  } finally {
    listing.shrink();
    listing.isInUse = false;
  }
}

/** Copies all names in order, or only that of the tag. */
function* takeNames(
  listing: Listing,
  rows: ListedRows,
  tag: number,
): Generator<void, Uint8Array> {
  const { order, starts, ends } = listing;
  const count = tag < 0 ? listing.count : 1;
  let size = 0;
  for (let i = 0; i < listing.count; i++) size += ends[i] - starts[i];
  rows.names = tag < 0
    ? new Uint8Array(size)
    : new Uint8Array(ends[tag] - starts[tag]);
  rows.ends = new Uint32Array(count);
  const types = new Uint8Array(count);
  for (let first = 0, at = 0; first < count; first += NAMES_A_STEP) {
    if (first > 0) yield;
    const last = Math.min(first + NAMES_A_STEP, count);
    for (let i = first; i < last; i++) {
      const item = tag < 0 ? order[i] : tag;
      at = copyName(listing, item, rows.names, at);
      rows.ends[i] = at;
      types[i] = listing.types[item];
    }
  }
  rows.rowsMax = count;
  return types;
}

/** Copies a name, and returns where it ends. */
function copyName(
  { bytes, starts, ends }: Listing,
  item: number,
  to: Uint8Array,
  at: number,
): number {
  const end = ends[item];
  for (let i = starts[item]; i < end; i++) to[at++] = bytes[i];
  return at;
}

/** Appends one entry of the listing, unless it is left out or gone. */
function addRow(
  walk: SourceWalk,
  directory: ListedDirectory,
  rows: ListedRows,
  item: Item,
): void {
  const { drops } = walk;
  const { type } = item;
  if (type === DT_SOCK) return dropSocket(walk, directory, rows, item);
  const isRuled = !rows.scope.empty;
  if (
    isRuled && type !== DT_UNKNOWN &&
    isIgnored(walk, rows, item, type === DT_DIR)
  ) return;
  if (!statEntry(walk, directory, rows, item)) return;
  const at = rows.count - rows.first;
  const kind = rows.stats.mode(at) & S_IFMT;
  if (kind === S_IFSOCK) return dropSocket(walk, directory, rows, item);
  if (kind === S_IFDIR && isFile(rows.stats, at, walk.excludeStore)) {
    drops.stores++;
    return;
  }
  if (
    isRuled && type === DT_UNKNOWN &&
    isIgnored(walk, rows, item, kind === S_IFDIR)
  ) return;
  keepName(rows, item);
}

function dropSocket(
  walk: SourceWalk,
  directory: ListedDirectory,
  { names }: ListedRows,
  { start, end }: Item,
): void {
  walk.drops.sockets++;
  walk.onSocket?.(joinName(directory.path, names, start, end));
}

/** Fills the next row of the stats. */
function statEntry(
  walk: SourceWalk,
  directory: ListedDirectory,
  rows: ListedRows,
  { start, end }: Item,
): boolean {
  const { names } = rows;
  if (end - start > NAME_SIZE_MAX) {
    const path = joinName(directory.path, names, start, end);
    walk.failWith("stat", path, "ENAMETOOLONG");
    return false;
  }
  const result = walk.calls.statAt(
    directory.fd,
    walk.nameAt(names, start, end),
    AT_SYMLINK_NOFOLLOW,
    rows.stats,
    rows.count - rows.first,
  );
  if (result >= 0) return true;
  walk.fail("stat", joinName(directory.path, names, start, end), result);
  return false;
}

/** Moves a name down to the end of the rows before it. */
function keepName(rows: ListedRows, { start, end }: Item): void {
  const row = rows.count++;
  const at = row === 0 ? 0 : rows.ends[row - 1];
  if (at < start) rows.names.copyWithin(at, start, end);
  rows.ends[row] = at + end - start;
}

function isIgnored(
  walk: SourceWalk,
  { scope, names }: ListedRows,
  { start, end }: Item,
  isDirectory: boolean,
): boolean {
  const ignored = scope.ignores(names, start, end, isDirectory);
  if (ignored) walk.drops.ignored++;
  return ignored;
}

/** The rules of a directory, with those of its own rule file. */
function readRuleFile(
  walk: SourceWalk,
  listing: Listing,
  directory: ListedDirectory,
): RuleScope {
  const { fileName } = walk.ignore;
  if (fileName === undefined || listing.find(fileName) < 0) {
    return directory.scope;
  }
  const bytes = readNamedFile(
    walk.calls,
    directory.fd,
    fileName,
    RULE_FILE_SIZE_MAX + 1,
  );
  const path = (): Uint8Array =>
    joinName(directory.path, fileName, 0, fileName.length);
  if (typeof bytes === "number") {
    walk.fail("read rules", path(), bytes);
    return directory.scope;
  }
  if (bytes.length > RULE_FILE_SIZE_MAX) {
    walk.failWith("read more than 1 MiB of rules of", path(), "EFBIG");
    return directory.scope;
  }
  return directory.scope.with(bytes);
}

/** Number of the tag in the listing when the directory is a cache to be left out, else -1. */
function cacheTag(
  walk: SourceWalk,
  listing: Listing,
  directory: ListedDirectory,
): number {
  if (!walk.ignore.excludeCaches || directory.isRoot) return -1;
  const item = listing.find(CACHE_TAG_NAME);
  return item >= 0 && holdsCacheTag(walk.calls, directory.fd) ? item : -1;
}
