/**
 * Two trees compared: what was added, removed, changed, in the order of a walk.
 *
 * @module
 */
import { equalIds } from "./bytes.ts";
import { DiffCursor, type DiffSide } from "./diff_cursor.ts";
import { EntryKind } from "./entry_kind.ts";
import {
  type EntryRow,
  linkKey,
  sameAttributes,
  sameContent,
} from "./entry_row.ts";
import { DEPTH_MAX } from "./limits.ts";
import { ManifestSyntaxError } from "./manifest_syntax_error.ts";
import { joinPath } from "./path/path.ts";

export type { DiffSide, DiffSource } from "./diff_cursor.ts";
/** @internal */
export { linkKey, sameContent } from "./entry_row.ts";

/**
 * Kind of a change.
 *
 * - `added`, `removed`: only one side has it.
 * - `modified`: another content, target, device, or execute bit.
 * - `attributes`: nothing but its attributes differ, or which other entry it is one more name of.
 * - `type`: a file, directory, link, fifo or device became another of these.
 */
export type ChangeKind =
  | "added"
  | "removed"
  | "modified"
  | "attributes"
  | "type";

/** One difference. */
export interface Change {
  /** Kind of the change. */
  readonly kind: ChangeKind;
  /** Its path; empty for the root. */
  readonly path: Uint8Array;
  /** The entry before, unless it was added. */
  readonly before?: EntryRow;
  /** The entry after, unless it was removed. */
  readonly after?: EntryRow;
}

/** Options of {@linkcode diffTrees}. */
export interface DiffOptions {
  /**
   * Most changes in a batch.
   *
   * @default {1000}
   */
  readonly batchCountMax?: number;
  /** Ends the comparison. */
  readonly signal?: AbortSignal | undefined;
}

/** One directory that is being compared, with the rows that come next. */
interface Level {
  readonly path: Uint8Array;
  readonly before: DiffCursor | undefined;
  readonly after: DiffCursor | undefined;
}

/** Says which side has the next name: below 0 before, above 0 after, 0 both, `undefined` none. */
function nextSide({ before, after }: Level): number | undefined {
  if (before === undefined || before.isAtEnd) {
    return after === undefined || after.isAtEnd ? undefined : 1;
  }
  if (after === undefined || after.isAtEnd) return -1;
  const { tree, row } = after;
  return before.tree.compareName(
    before.row,
    tree.bytes,
    tree.nameStart(row),
    tree.nameEnd(row),
  );
}

/** Returns the kind, with `executable` taken for `file`. */
function typeOf(kind: EntryKind): EntryKind {
  return kind === EntryKind.executable ? EntryKind.file : kind;
}

/** Says what became of an entry that both sides have. */
function changeKind(
  before: DiffCursor,
  after: DiffCursor,
): ChangeKind | undefined {
  const kind = before.kind;
  if (typeOf(kind) !== typeOf(after.kind)) return "type";
  if (
    kind !== EntryKind.directory &&
    !sameContent(before.tree, before.row, after.tree, after.row)
  ) {
    return "modified";
  }
  if (before.page === undefined || after.page === undefined) return undefined;
  const isSame = sameAttributes(
    before.page,
    before.row + 1,
    after.page,
    after.row + 1,
  );
  return isSame ? undefined : "attributes";
}

/** Says whether two directories have nothing below them that differs: same tree, and same page where both have one. */
function sameBelow(
  before: DiffSide | undefined,
  after: DiffSide | undefined,
): boolean {
  if (before === undefined || after === undefined) return before === after;
  if (!equalIds(before.treeId, 0, after.treeId, 0)) return false;
  if (before.pageId === undefined || after.pageId === undefined) return true;
  return equalIds(before.pageId, 0, after.pageId, 0);
}

async function openLevel(
  path: Uint8Array,
  before: DiffSide | undefined,
  after: DiffSide | undefined,
): Promise<Level> {
  const sides = [
    before && DiffCursor.open(before),
    after && DiffCursor.open(after),
  ] as const;
  await Promise.allSettled(sides); // Whoever started work waits for its end.
  const [left, right] = await Promise.all(sides);
  return { path, before: left, after: right };
}

/** Says whether the attributes of a directory itself, which its own pages have, differ. */
function hasChangedSelf({ before, after }: Level): boolean {
  return before?.page !== undefined && after?.page !== undefined &&
    !sameAttributes(before.page, 0, after.page, 0);
}

/** Returns what became of the root itself, which has attributes and no name. */
function rootChange(level: Level): Change | undefined {
  if (!hasChangedSelf(level)) return undefined;
  return {
    kind: "attributes",
    path: level.path,
    before: level.before!.entry(-1),
    after: level.after!.entry(-1),
  };
}

/**
 * Groups of names of one file, among the names that both sides have. Where both pages of a
 * directory are the same nothing is known of its names; a name that is made or goes changes the
 * pages of all others of its file, which tell its change time.
 */
class Links {
  /** By file before, the file after that has its first name; undefined where that one is taken. */
  readonly #firsts = new Map<string, string | undefined>();
  /** Files after that are what another file before became. */
  readonly #taken = new Set<string>();

  /** Whether an entry is one more name of another on one side than on the other. */
  differ(before: DiffCursor, after: DiffCursor): boolean {
    if (before.page === undefined || after.page === undefined) return false;
    const left = linkKey(before.tree, before.page, before.row);
    const right = linkKey(after.tree, after.page, after.row);
    if (left !== undefined && this.#firsts.has(left)) {
      return right === undefined || right !== this.#firsts.get(left);
    }
    const isTaken = right !== undefined && this.#taken.has(right);
    if (left !== undefined) this.#firsts.set(left, isTaken ? undefined : right);
    if (right !== undefined) this.#taken.add(right);
    return isTaken;
  }
}

/** Takes the next entry of a level: what became of it, and which directories are below it. */
function step(level: Level, order: number): {
  kind: ChangeKind | undefined;
  before: DiffCursor | undefined;
  after: DiffCursor | undefined;
} {
  const before = order <= 0 ? level.before : undefined;
  const after = order >= 0 ? level.after : undefined;
  if (before === undefined) return { kind: "added", before, after };
  if (after === undefined) return { kind: "removed", before, after };
  return { kind: changeKind(before, after), before, after };
}

function makeChange(
  kind: ChangeKind,
  path: Uint8Array,
  before: DiffCursor | undefined,
  after: DiffCursor | undefined,
): Change {
  return {
    kind,
    path,
    before: before?.entry(before.row),
    after: after?.entry(after.row),
  };
}

/**
 * Compares two trees and all below them.
 *
 * Changes come in the order of a walk: by name in each directory, a directory before
 * what is in it. Everything below an added or removed directory is listed. When an
 * entry becomes another type there is one `type` change at its path, then what was
 * below it as removed and what is below it as added. A directory in which something
 * changed is not a change itself. Sub-trees with equal ids are not read; with
 * attributes, only when their page ids are equal too.
 *
 * Attributes are compared where both sides name a page, and what is one more name of what. At any time the trees and
 * pages on one path from the root are in memory.
 *
 * @param before What there was; `undefined` for nothing.
 * @param after What there is; `undefined` for nothing.
 * @param options Size of batches, and a signal.
 * @returns Batches of changes.
 * @throws {ManifestSyntaxError} If a page does not belong to its tree, or directories nest deeper than 1024.
 */
export async function* diffTrees(
  before: DiffSide | undefined,
  after: DiffSide | undefined,
  options: DiffOptions = {},
): AsyncGenerator<Change[]> {
  const { batchCountMax = 1000, signal } = options;
  const { source } = after ?? before ?? {};
  signal?.throwIfAborted();
  if (sameBelow(before, after)) return;
  const levels = [await openLevel(new Uint8Array(0), before, after)];
  const links = new Links();
  const root = rootChange(levels[0]);
  let batch: Change[] = root === undefined ? [] : [root];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const order = nextSide(level);
    if (order === undefined) {
      levels.pop();
      continue;
    }
    let { kind, before: left, after: right } = step(level, order);
    if (left && right && links.differ(left, right)) kind ??= "attributes";
    const leftBelow = left?.below();
    const rightBelow = right?.below();
    const isSame = sameBelow(leftBelow, rightBelow);
    if (kind !== undefined || !isSame) {
      const path = joinPath(level.path, (left ?? right!).name);
      if (!isSame) {
        signal?.throwIfAborted();
        if (levels.length > DEPTH_MAX) {
          throw new ManifestSyntaxError(
            `Cannot compare trees: directories nest more than ${DEPTH_MAX} deep`,
            0,
          );
        }
        const below = await openLevel(path, leftBelow, rightBelow);
        levels.push(below);
        // Its extended attributes are in its own page alone.
        if (hasChangedSelf(below)) kind ??= "attributes";
      }
      if (kind !== undefined) batch.push(makeChange(kind, path, left, right));
    }
    left?.advance();
    right?.advance();
    const turn = source?.pace?.();
    if (turn !== undefined) await turn;
    if (batch.length >= batchCountMax) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}
