import type { Side } from "../snapshots/open_side.ts";

/** A socket that only one side has. */
export interface SocketChange {
  /** Whether it is the side after. */
  readonly kind: "added" | "removed";
  readonly path: Uint8Array;
  /** No tree has it. */
  readonly before?: undefined;
  /** No tree has it. */
  readonly after?: undefined;
}

const SLASH = 0x2f;

/**
 * Finds sockets that one of two sides has. No snapshot holds any, so those of a directory are known
 * from its walk alone.
 *
 * @returns The sockets, in the order of a walk.
 */
export function socketChanges(
  before: Pick<Side, "sockets">,
  after: Pick<Side, "sockets">,
): SocketChange[] {
  const changes: SocketChange[] = [
    ...without(before.sockets, after.sockets, "removed"),
    ...without(after.sockets, before.sockets, "added"),
  ];
  return changes.sort((a, b) => comparePaths(a.path, b.path));
}

function without(
  paths: readonly Uint8Array[],
  others: readonly Uint8Array[],
  kind: SocketChange["kind"],
): SocketChange[] {
  const known = new Set(others.map((path) => path.join()));
  return paths.filter((path) => !known.has(path.join()))
    .map((path) => ({ kind, path }));
}

/**
 * Compares paths in the order of a walk: a directory, what is in it, then the next name.
 *
 * @returns Below 0 if the one comes first, above 0 if the other does.
 */
export function comparePaths(a: Uint8Array, b: Uint8Array): number {
  const size = Math.min(a.length, b.length);
  for (let i = 0; i < size; i++) {
    // No name has a byte 0, so that a slash may stand for it.
    const left = a[i] === SLASH ? 0 : a[i];
    const right = b[i] === SLASH ? 0 : b[i];
    if (left !== right) return left - right;
  }
  return a.length - b.length;
}
