import { EntryKind } from "@snap/manifest/extras";
import type { Directory } from "@snap/snapshot/reach";

/** Links on the way to one name; the kernel follows no more either. */
const HOPS_MAX = 40;
const SLASH = 0x2f;
const DOT = 0x2e;

/** A directory at its own place in a snapshot, however it was reached. */
export interface PlacedDirectory extends Directory {
  /** The one that holds it; absent for the root. */
  readonly parent?: PlacedDirectory;
  /** Rows from the root on: the same for the same place. */
  readonly way: string;
}

/** An entry that a link leads to. */
export interface FollowedEntry {
  /** The directory that holds it, or that it is. */
  readonly directory: PlacedDirectory;
  /** Its row there; -1 for the directory itself. */
  readonly row: number;
}

/** What a link leads to; `outside` is not in the snapshot. */
export type Followed = FollowedEntry | "outside" | "nothing";

/** Reads a sub-directory. */
export type Enter = (
  parent: PlacedDirectory,
  row: number,
) => Promise<PlacedDirectory>;

/**
 * Follows a symbolic link as the kernel does, as far as it stays in the snapshot.
 *
 * @param from The directory that holds the link.
 * @param target The target of the link.
 * @param enter Reads sub-directories on the way.
 */
export async function followLink(
  from: PlacedDirectory,
  target: Uint8Array,
  enter: Enter,
): Promise<Followed> {
  const parts = partsOf(target);
  let at = from, hops = 1;
  if (parts === undefined) return "outside";
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (isHere(part)) continue;
    if (isAbove(part)) {
      if (at.parent === undefined) return "outside";
      at = at.parent;
      continue;
    }
    const row = at.tree.find(part);
    if (row < 0) return "nothing";
    const kind = at.tree.kind(row);
    if (kind === EntryKind.symlink) {
      const next = partsOf(at.tree.target(row));
      if (next === undefined) return "outside";
      if (++hops > HOPS_MAX) return "nothing";
      parts.splice(i + 1, 0, ...next);
    } else if (kind === EntryKind.directory) {
      at = await enter(at, row);
    } else {
      return i === parts.length - 1 ? { directory: at, row } : "nothing";
    }
  }
  return { directory: at, row: -1 };
}

/** Splits a target; one that is absolute is not looked up. */
function partsOf(target: Uint8Array): Uint8Array[] | undefined {
  if (target[0] === SLASH) return undefined;
  const parts: Uint8Array[] = [];
  for (let start = 0, at = 0; at <= target.length; at++) {
    if (at < target.length && target[at] !== SLASH) continue;
    parts.push(target.subarray(start, at));
    start = at + 1;
  }
  return parts;
}

function isHere(part: Uint8Array): boolean {
  return part.length === 0 || (part.length === 1 && part[0] === DOT);
}

function isAbove(part: Uint8Array): boolean {
  return part.length === 2 && part[0] === DOT && part[1] === DOT;
}
