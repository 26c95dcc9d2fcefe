import { NAME_SIZE_MAX } from "@snap/manifest/limits";
import { AT_SYMLINK_NOFOLLOW } from "@snap/posix/flags";
import {
  DT_DIR,
  DT_SOCK,
  DT_UNKNOWN,
  S_IFDIR,
  S_IFMT,
  S_IFSOCK,
} from "@snap/posix/mode";
import { StatTable } from "@snap/posix/stat-table";
import { CACHE_TAG_NAME, holdsCacheTag } from "./_cache_tag.ts";
import type { RuleScope } from "./ignore_rules.ts";
import { readNamedFile } from "./_read_whole_file.ts";
import { joinName, type SourceWalk } from "./_source_walk.ts";

/** The directory whose rows are wanted. */
export interface ListedDirectory {
  readonly fd: number;
  readonly path: Uint8Array;
  readonly scope: RuleScope;
  readonly isRoot: boolean;
}

/** The rows of one directory, and the rules with its own rule file. */
export interface ListedRows {
  count: number;
  readonly names: Uint8Array;
  readonly ends: Uint32Array;
  readonly stats: StatTable;
  readonly scope: RuleScope;
}

/** A rule file above this size is an error. */
const RULE_FILE_SIZE_MAX = 1 << 20;

/** The rows of a directory that is not entered. */
export function noRows(scope: RuleScope): ListedRows {
  return {
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

/** Lists a directory: read, sort, leave out, stat. */
export function listRows(
  walk: SourceWalk,
  directory: ListedDirectory,
): ListedRows {
  const { listing } = walk;
  const result = listing.read(walk.calls, directory.fd);
  if (result < 0) walk.fail("list directory", directory.path, result);
  if (listing.count === 0) return noRows(directory.scope);
  const scope = readRuleFile(walk, directory);
  const tag = cacheTag(walk, directory);
  const { order, starts, ends } = listing;
  const rowsMax = tag < 0 ? listing.count : 1;
  let size = 0;
  for (let i = 0; i < listing.count; i++) size += ends[i] - starts[i];
  const rows: ListedRows = {
    count: 0,
    names: new Uint8Array(size),
    ends: new Uint32Array(rowsMax),
    stats: new StatTable(rowsMax),
    scope,
  };
  if (tag >= 0) {
    walk.drops.ignored += listing.count - 1;
    addRow(walk, directory, rows, tag);
  } else {
    for (let i = 0; i < listing.count; i++) {
      addRow(walk, directory, rows, order[i]);
    }
  }
  return rows;
}

/** Appends one entry of the listing, unless it is left out or gone. */
function addRow(
  walk: SourceWalk,
  directory: ListedDirectory,
  rows: ListedRows,
  item: number,
): void {
  const { listing, drops } = walk;
  const type = listing.types[item];
  if (type === DT_SOCK) {
    drops.sockets++;
    return;
  }
  const isRuled = !rows.scope.empty;
  if (
    isRuled && type !== DT_UNKNOWN &&
    isIgnored(walk, rows.scope, item, type === DT_DIR)
  ) return;
  if (!statEntry(walk, directory, rows, item)) return;
  const kind = rows.stats.mode(rows.count) & S_IFMT;
  if (kind === S_IFSOCK) {
    drops.sockets++;
    return;
  }
  if (kind === S_IFDIR && isStore(walk, rows.stats, rows.count)) {
    drops.stores++;
    return;
  }
  if (
    isRuled && type === DT_UNKNOWN &&
    isIgnored(walk, rows.scope, item, kind === S_IFDIR)
  ) return;
  appendName(walk, rows, item);
}

/** Fills the next row of the stats. */
function statEntry(
  walk: SourceWalk,
  directory: ListedDirectory,
  rows: ListedRows,
  item: number,
): boolean {
  const { bytes, starts, ends } = walk.listing;
  const start = starts[item];
  const end = ends[item];
  if (end - start > NAME_SIZE_MAX) {
    walk.failWith(
      "stat",
      joinName(directory.path, bytes, start, end),
      "ENAMETOOLONG",
    );
    return false;
  }
  const name = walk.nameAt(bytes, start, end);
  const result = walk.calls.statAt(
    directory.fd,
    name,
    AT_SYMLINK_NOFOLLOW,
    rows.stats,
    rows.count,
  );
  if (result >= 0) return true;
  walk.fail("stat", joinName(directory.path, bytes, start, end), result);
  return false;
}

function appendName(walk: SourceWalk, rows: ListedRows, item: number): void {
  const { bytes, starts, ends } = walk.listing;
  const row = rows.count++;
  const end = ends[item];
  let at = row === 0 ? 0 : rows.ends[row - 1];
  for (let i = starts[item]; i < end; i++) rows.names[at++] = bytes[i];
  rows.ends[row] = at;
}

function isIgnored(
  walk: SourceWalk,
  scope: RuleScope,
  item: number,
  isDirectory: boolean,
): boolean {
  const { bytes, starts, ends } = walk.listing;
  const ignored = scope.ignores(bytes, starts[item], ends[item], isDirectory);
  if (ignored) walk.drops.ignored++;
  return ignored;
}

function isStore(walk: SourceWalk, stats: StatTable, row: number): boolean {
  const store = walk.excludeStore;
  return store !== undefined && stats.inodeLow(row) === store.inodeLow &&
    stats.inodeHigh(row) === store.inodeHigh &&
    stats.deviceMinor(row) === store.minor &&
    stats.deviceMajor(row) === store.major;
}

/** The rules of a directory, with those of its own rule file. */
function readRuleFile(walk: SourceWalk, directory: ListedDirectory): RuleScope {
  const { fileName } = walk.ignore;
  if (fileName === undefined || walk.listing.find(fileName) < 0) {
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
    walk.failWith("read rules", path(), "EFBIG");
    return directory.scope;
  }
  return directory.scope.with(bytes);
}

/** Number of the tag in the listing when the directory is a cache to be left out, else -1. */
function cacheTag(walk: SourceWalk, directory: ListedDirectory): number {
  if (!walk.ignore.excludeCaches || directory.isRoot) return -1;
  const item = walk.listing.find(CACHE_TAG_NAME);
  return item >= 0 && holdsCacheTag(walk.calls, directory.fd) ? item : -1;
}
