import { argumentError, checkBytes } from "@snap/hash";
import { EntryKind, isDeviceKind, isFileKind } from "@snap/manifest/extras";
import type { Snapshots } from "@snap/snapshot";
import type { StoreOptions, WriteStore } from "@snap/store";
import { EntryError } from "../draft/entry_error.ts";
import {
  type DraftRun,
  type SavedEntries,
  saveDraft,
  type SaveDraftOptions,
} from "../draft/save_draft.ts";
import { type ContentSource, writeContent } from "../pack/write_content.ts";
import { abortable, refuse } from "./abortable.ts";
import type { EntryInputs } from "./entry_input.ts";
import { type PlainEntry, readEntry } from "./read_entry.ts";

const NO_NAME = new Uint8Array(0);

/** Options of {@linkcode saveEntries}: what its record says. */
export type SaveEntriesOptions = SaveDraftOptions;

/**
 * Saves entries that a program has in memory, or makes as they are asked for, as a
 * snapshot: its id is that of the same tree saved from a disk. Content goes into the
 * store as it comes, whatever its size.
 *
 * Directories that nobody names are made: with the time and owner of the first
 * entry in them. A path that comes again stands for what came last. The record is
 * written last: what ends early leaves none.
 *
 * @example
 * ```ts
 * import { saveEntries } from "@snap/save/entries";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { openSnapshots } from "@snap/snapshot";
 * import { initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { strictEqual } from "node:assert/strict";
 *
 * const store = new MemoryStore();
 * await initStore(store);
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * const { totals } = await saveEntries(snapshots, [
 *   { path: "bin/run", content: "#!/bin/sh\n", mode: 0o755 },
 *   { path: "notes", content: new Blob(["one\n", "two\n"]).stream() },
 *   { path: "latest", target: "notes" },
 * ], { source: "build" });
 * strictEqual(totals.entryCount, 4);
 * await snapshots.close();
 * ```
 *
 * @param snapshots The store to save into.
 * @param entries The entries, in any order.
 * @param options What the record says, what ends the save.
 * @returns The snapshot.
 * @throws {EntryError} If a path leads out of the root, is empty, or has a parent that is no directory; if content fails: `cause` is what it failed with.
 * @throws {TypeError} If something in an entry is of another type.
 * @throws {RangeError} If a number in an entry is none that a snapshot can hold.
 * @throws {StoreError} If the store fails.
 */
export async function saveEntries(
  snapshots: Snapshots<WriteStore>,
  entries: EntryInputs,
  options: SaveEntriesOptions = {},
): Promise<SavedEntries> {
  const from = Object(entries);
  if (!(Symbol.asyncIterator in from || Symbol.iterator in from)) {
    const need = "iterable, or an async iterable";
    throw argumentError({ entries }, { action: "save", need });
  }
  const { signal, now = Date.now } = options;
  const nowMs = now();
  return await saveDraft(snapshots, {
    isStrict: true,
    fill: async (run) => {
      for await (const input of abortable(entries, signal)) {
        try {
          await addEntry(run, readEntry(input, nowMs), { signal });
        } catch (error) {
          await refuse(input?.content, error);
          throw error;
        }
        const turn = run.pacer.yield();
        if (turn !== undefined) await turn;
      }
    },
  }, { ...options, action: "save" });
}

async function addEntry(
  { draft, content }: DraftRun,
  entry: PlainEntry,
  { signal }: StoreOptions,
): Promise<void> {
  const { path, kind, mode, mtimeSec, mtimeNs, uid, gid } = entry;
  const owner = draft.owners.intern(uid, gid, NO_NAME, NO_NAME);
  const attributes = { mode, mtimeSec, mtimeNs, owner };
  const node = draft.add(path, kind, attributes);
  const { nodes } = draft;
  if (isFileKind(kind)) {
    const source = named(entry, signal);
    const { id, size } = await writeContent(content, source);
    nodes.setContent(node, size, id);
  } else if (kind === EntryKind.symlink) nodes.setTarget(node, entry.target);
  else if (isDeviceKind(kind)) {
    nodes.setDevice(node, entry.deviceMajor, entry.deviceMinor);
  }
}

/** Content of an entry, which names the entry when it fails. */
function named(
  { path, content }: PlainEntry,
  signal: AbortSignal | undefined,
): ContentSource {
  if (content instanceof Uint8Array) return content;
  return piecesOf(path, content, signal);
}

async function* piecesOf(
  path: Uint8Array,
  content: Blob | AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  const from = content instanceof Blob ? content.stream() : content;
  try {
    for await (const piece of abortable(from, signal)) {
      checkBytes(piece, "piece of content");
      yield piece;
    }
  } catch (cause) {
    if (signal?.aborted === true && cause === signal.reason) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EntryError(path, `its content failed: ${reason}`, { cause });
  }
}
