import type { SyncOptions } from "../options.ts";
import type { PeerSession } from "../peer/peer.ts";
import type { TagRow } from "../protocol/sections.ts";

/** Options of {@linkcode syncTags}. */
export interface TagWork {
  readonly a: PeerSession;
  readonly b: PeerSession;
  /** Whether entries of `a` go to `b`. */
  readonly push: boolean;
  /** Whether entries of `b` go to `a`. */
  readonly pull: boolean;
  /** Records that could not be copied: no tag may name them. */
  readonly failed: ReadonlySet<string>;
}

/**
 * Adds entries of logs of tags that the other side lacks.
 *
 * @param work The sides, and the directions.
 * @param options Which tags.
 * @returns How many entries were added, or would be.
 */
export async function syncTags(
  { a, b, push, pull, failed }: TagWork,
  options: SyncOptions,
): Promise<number> {
  const mine = byName(await a.tags()), theirs = byName(await b.tags());
  const names = new Set([...mine.keys(), ...theirs.keys()]);
  let count = 0;
  for (const name of [...names].sort()) {
    if (options.tagNames?.includes(name) === false) continue;
    if (isSame(mine.get(name), theirs.get(name))) continue;
    const ours = mine.has(name) ? await a.tagEntries(name) : [];
    const others = theirs.has(name) ? await b.tagEntries(name) : [];
    const ways = [
      ...(push ? [{ to: b, entries: ours, known: others }] : []),
      ...(pull ? [{ to: a, entries: others, known: ours }] : []),
    ];
    for (const { to, entries, known } of ways) {
      const nonces = new Set(known.map(({ nonce }) => nonce));
      const lack = entries.filter(({ nonce, record }) =>
        !nonces.has(nonce) && !failed.has(record)
      );
      if (lack.length === 0) continue;
      count += options.dryRun === true
        ? lack.length
        : await to.addTagEntries(name, lack);
    }
  }
  return count;
}

function byName(rows: readonly TagRow[]): Map<string, TagRow> {
  return new Map(rows.map((row) => [row.name, row]));
}

function isSame(a: TagRow | undefined, b: TagRow | undefined): boolean {
  return a !== undefined && b !== undefined && a.count === b.count &&
    a.sum.every((byte, i) => byte === b.sum[i]);
}
