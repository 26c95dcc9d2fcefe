/**
 * Changes between snapshots, as people and programs want them.
 *
 * @module
 */
import { type Id, idFromBytes } from "@snap/hash";
import type { EntryRow } from "@snap/manifest";
import {
  type EntryKindName,
  entryKindName,
  isFileKind,
} from "@snap/manifest/extras";
import { displayPath } from "@snap/manifest/path";
import type { ViewRoot } from "../view/view.ts";
import {
  type Change,
  type ChangeKind,
  diffSnapshots,
  type ObjectSource,
  type SideOptions,
  snapshotSide,
} from "./diff.ts";

/** What an entry is on one side of a comparison. */
export interface ChangedEntry {
  /** Its kind. */
  readonly kind: EntryKindName;
  /** Size in bytes of a file's content or of a link's target, else 0. */
  readonly size: number;
  /** The id of a file's content. */
  readonly id?: Id;
}

/** One difference between two snapshots. */
export interface EntryChange {
  /** Kind of the change. */
  readonly kind: ChangeKind;
  /** Its path as bytes; empty for the root. */
  readonly path: Uint8Array;
  /** Its path as `displayPath` shows it. */
  readonly text: string;
  /** The entry before, unless it was added. */
  readonly before?: ChangedEntry;
  /** The entry after, unless it was removed. */
  readonly after?: ChangedEntry;
}

/** Batches of the changes between two snapshots. */
export async function* entryChanges(
  reader: ObjectSource,
  roots: readonly [ViewRoot | undefined, ViewRoot | undefined],
  options: SideOptions,
): AsyncGenerator<EntryChange[], void, void> {
  const [before, after] = roots.map((root) =>
    root && snapshotSide(reader, root, options)
  );
  for await (
    const batch of diffSnapshots(before, after, options).batches()
  ) yield batch.map(changeOf);
}

function changeOf({ kind, path, before, after }: Change): EntryChange {
  return {
    ...{ kind, path, text: displayPath(path) },
    ...before && { before: entryOf(before) },
    ...after && { after: entryOf(after) },
  };
}

function entryOf({ tree, row }: EntryRow): ChangedEntry {
  if (row < 0) return { kind: "directory", size: 0 };
  const kind = tree.kind(row);
  return {
    kind: entryKindName(kind),
    size: tree.size(row),
    ...isFileKind(kind) && { id: idFromBytes(tree.idBytes(row)) },
  };
}
