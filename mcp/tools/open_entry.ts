import { displayPath } from "@snap/manifest/path";
import type { NamedRecord } from "@snap/snapshot/records";
import { View, type ViewEntry } from "@snap/snapshot/view";
import type { Call, CallStore } from "../service.ts";
import { ToolError } from "../tool_error.ts";

/** Memory for directories of one call, in bytes. */
const CACHE_SIZE = 4 << 20;

/** An entry of a snapshot. */
export interface OpenedEntry {
  readonly view: View;
  readonly entry: ViewEntry;
}

/**
 * Opens an entry of a snapshot.
 *
 * @param path Its path; empty for the root.
 * @returns The entry.
 * @throws {ToolError} If the snapshot has no such entry.
 */
export async function openEntry(
  { snapshots }: CallStore,
  record: NamedRecord,
  path: Uint8Array,
  { signal }: Call,
): Promise<OpenedEntry> {
  const options = { signal, cacheSize: CACHE_SIZE };
  const view = await View.open(snapshots, record, options);
  const entry = await view.lookup(path, { signal });
  if (entry !== undefined) return { view, entry };
  throw new ToolError(
    `Cannot find ${displayPath(path)} in snapshot ${
      record.tree.slice(0, 12)
    }: there is no such entry`,
    "the tools ls and find tell what there is",
  );
}

/** Opens a directory of a snapshot. */
export async function openDirectory(
  store: CallStore,
  record: NamedRecord,
  path: Uint8Array,
  call: Call,
): Promise<OpenedEntry> {
  const opened = await openEntry(store, record, path, call);
  if (opened.entry.pageId !== undefined) return opened;
  throw new ToolError(
    `Cannot list ${displayPath(path)}: it is no directory`,
    "the tool read gives what is in a file",
  );
}
