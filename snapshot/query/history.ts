import type { StoreReader } from "@snap/pack/read";
import type { StoreOptions } from "@snap/store";
import { sameContent } from "@snap/manifest/diff";
import type { NamedRecord } from "../records/record.ts";
import { View } from "../view/view.ts";
import type { ViewEntry } from "../view/view_entry.ts";

/** A snapshot in which an entry is not what it was in the one before. */
export interface HistoryStep {
  /** Whether it came, has another content or type, or went. */
  readonly change: "added" | "modified" | "removed";
  /** The record. */
  readonly record: NamedRecord;
  /** The entry, unless it went. */
  readonly entry?: ViewEntry;
}

/**
 * Follows a path through snapshots: when it came, changed and went. A directory
 * changes with all that is below. Attributes do not count. Records of different
 * hosts and sources are followed each for themselves.
 *
 * @param snapshots The store.
 * @param path The path, as bytes.
 * @param records The records, in any order.
 * @param options What ends the wait.
 * @returns The steps: of one host and source after the other, by time.
 * @throws {DamageError} If a directory on the way is damaged in every copy.
 *
 * @example A file that came and changed
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { save } from "@snap/save";
 * import { openSnapshots } from "@snap/snapshot";
 * import { pathHistory } from "@snap/snapshot/query";
 * import { DEFAULT_SETTINGS, formatSettings, initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { deepStrictEqual } from "node:assert/strict";
 * import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
 *
 * const folder = mkdtempSync("/tmp/snap-history-");
 * const store = new MemoryStore();
 * await initStore(store, formatSettings(DEFAULT_SETTINGS));
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * for (const text of ["one", "three"]) {
 *   writeFileSync(`${folder}/file`, text);
 *   await save(snapshots, folder, { workers: 0 });
 * }
 * rmSync(folder, { recursive: true });
 *
 * await snapshots.refresh();
 * const path = new TextEncoder().encode("file");
 * const records = await snapshots.records();
 * const steps = await Array.fromAsync(pathHistory(snapshots, path, records));
 * deepStrictEqual(
 *   steps.map(({ change, entry }) => [change, entry!.size]),
 *   [["added", 3], ["modified", 5]],
 * );
 * ```
 */
export async function* pathHistory(
  snapshots: { reader(): Promise<StoreReader> },
  path: Uint8Array,
  records: readonly NamedRecord[],
  options: StoreOptions = {},
): AsyncGenerator<HistoryStep, void, void> {
  const sources = Map.groupBy(
    records,
    ({ host, source }) => JSON.stringify([host, source]),
  );
  const reader = await snapshots.reader();
  for (const [, own] of [...sources].sort(([a], [b]) => a < b ? -1 : 1)) {
    own.sort((a, b) => a.time < b.time ? -1 : 1);
    let entry: ViewEntry | undefined;
    let before: NamedRecord | undefined;
    for (const record of own) {
      options.signal?.throwIfAborted();
      const isSame = before?.tree === record.tree &&
        before.page === record.page;
      before = record;
      if (isSame) continue;
      const view = await View.open(reader, record, options);
      const now = await view.lookup(path, options);
      const change = changeOf(entry, now);
      entry = now;
      if (change !== undefined) {
        yield { change, record, ...now && { entry: now } };
      }
    }
  }
}

function changeOf(
  before: ViewEntry | undefined,
  after: ViewEntry | undefined,
): HistoryStep["change"] | undefined {
  if (before === undefined) return after && "added";
  if (after === undefined) return "removed";
  return isSameEntry(before, after) ? undefined : "modified";
}

function isSameEntry(a: ViewEntry, b: ViewEntry): boolean {
  // A root is in no directory: its own tree is all that it is.
  if (a.row < 0 || b.row < 0) return a.id === b.id;
  return sameContent(a.tree, a.row, b.tree, b.row);
}
