import { EntryKind } from "@snap/manifest/extras";
import type { FollowedEntry, PlacedDirectory } from "./followed_path.ts";

const SLASH = 0x2f;

/**
 * Sorts the rows of a directory as their lines stand: by name, that of a directory with
 * a slash behind it. As all below it begins so, a walk in this order has all paths in theirs.
 *
 * @param links What its links lead to, by their rows.
 */
export function lineOrder(
  { tree }: PlacedDirectory,
  links: ReadonlyMap<number, FollowedEntry>,
): Uint32Array {
  const rows = Uint32Array.from({ length: tree.count }, (_, row) => row);
  const byteAt = (row: number, at: number): number => {
    const start = tree.nameStart(row), end = tree.nameEnd(row);
    if (start + at < end) return tree.bytes[start + at];
    const isDirectory = tree.kind(row) === EntryKind.directory ||
      (links.get(row)?.row ?? 0) < 0;
    return start + at === end && isDirectory ? SLASH : -1;
  };
  return rows.sort((a, b) => {
    if (a === b) return 0;
    for (let at = 0;; at++) {
      const left = byteAt(a, at), right = byteAt(b, at);
      if (left !== right) return left - right;
    }
  });
}
