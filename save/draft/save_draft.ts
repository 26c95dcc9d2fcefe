import { type Id, idFromBytes } from "@snap/hash";
import {
  type ObjectWriter,
  openObjectWriter,
  randomBytes,
} from "@snap/pack/write";
import { nativeEncoders } from "@snap/posix/decoders";
import { Pacer } from "@snap/posix/pacer";
import { checkSnapshots, type Snapshots } from "@snap/snapshot";
import {
  confirmRecords,
  finishedSaves,
  type NamedRecord,
  type Totals,
  writeRecord,
} from "@snap/snapshot/records";
import { MetadataPacker } from "@snap/snapshot/write";
import type { StoreOptions, WriteStore } from "@snap/store";
import { timeText } from "@snap/store/format";
import { ContentWriter } from "../pack/content_writer.ts";
import { SnapshotDraft, type SnapshotDraftOptions } from "./snapshot_draft.ts";
import { TreeWriter } from "./tree_writer.ts";

/** What the record of a snapshot says that is put together of entries. */
export interface SaveDraftOptions extends StoreOptions {
  /** Where the entries are from, for the record: an absolute path, or an address. */
  source?: string;
  /** The name of the machine, for the record. */
  host?: string;
  /** The name of the user, for the record. */
  user?: string;
  /** Description of the snapshot. */
  message?: string;
  /** The program that saves, for the record. */
  program?: string;
  /** Where random bytes come from. */
  random?: (size: number) => Uint8Array;
  /** The clock, in milliseconds since 1970. */
  now?: () => number;
}

/** Result of a save of entries. */
export interface SavedEntries {
  /** The id of the snapshot. */
  readonly id: Id;
  /** Its record. */
  readonly record: NamedRecord;
  /** The save id of this run. */
  readonly saveId: Uint8Array;
  /** What the snapshot holds. */
  readonly totals: Totals;
  /** Bytes of content that were not in the store. */
  readonly newByteCount: number;
  /** Bytes of packs that were added to the store. */
  readonly storedByteCount: number;
}

/** A snapshot that is being put together. */
export interface DraftRun {
  /** Takes the entries. */
  readonly draft: SnapshotDraft;
  /** Takes the content of files. */
  readonly content: ContentWriter;
  /** Lets the event loop have its turn. */
  readonly pacer: Pacer;
}

/** How {@linkcode saveDraft} fills a snapshot. */
export interface DraftFilling extends SnapshotDraftOptions {
  /** Adds all entries. What it throws ends the save, and there is no record. */
  readonly fill: (run: DraftRun) => Promise<void>;
}

/**
 * Makes a snapshot of entries that come in any order. The record is written last:
 * what ends early leaves none.
 *
 * @param snapshots The store to save into.
 * @param filling What adds the entries.
 * @param options What the record says, and what the lease calls the run.
 * @returns The snapshot.
 * @throws {EntryError} If there are more entries than a snapshot can be put together of.
 * @throws {StoreError} If the store fails.
 */
export async function saveDraft(
  snapshots: Snapshots<WriteStore>,
  filling: DraftFilling,
  options: SaveDraftOptions & { readonly action: string },
): Promise<SavedEntries> {
  checkSnapshots(snapshots, options.action);
  const { store, hasher, settings } = snapshots;
  const { signal, random = randomBytes, now = Date.now } = options;
  const startMs = now();
  const saveId = random(16);
  const writer = await openObjectWriter(store, {
    ...options,
    ...{ saveId, hasher, settings, encoders: nativeEncoders },
    finishedSaves: () => finishedSaves(store, { signal }),
  });
  try {
    const { ids, totals } = await fillStore(writer, snapshots, {
      filling,
      signal,
    });
    await writer.finish();
    await snapshots.refresh();
    const { host = "", user = "", source = "", program = "" } = options;
    const { message } = options;
    const { record } = await writeRecord(snapshots, {
      tree: idFromBytes(ids, 0),
      page: idFromBytes(ids, 32),
      time: timeText(now()),
      startTime: timeText(startMs),
      ...{ host, user, source, program, totals, fidelity: "full" },
      ...message !== undefined && { message },
      unreadable: { count: 0, first: [] },
      changed: { count: 0, first: [] },
    }, { saveId, salt: random(32), signal });
    await confirmRecords(store, [record], () => writer.confirm());
    const { newByteCount } = writer.sink();
    const { storedByteCount } = writer;
    const counts = { totals, newByteCount, storedByteCount };
    return { id: record.tree, record, saveId, ...counts };
  } catch (error) {
    await writer.giveUp();
    throw error;
  } finally {
    await writer[Symbol.asyncDispose]();
  }
}

/** Stores everything but the record. */
async function fillStore(
  writer: ObjectWriter,
  { hasher }: Snapshots,
  { filling, signal }: {
    readonly filling: DraftFilling;
    readonly signal: AbortSignal | undefined;
  },
): Promise<{ readonly ids: Uint8Array; readonly totals: Totals }> {
  const pacer = new Pacer({ ...signal && { signal } });
  const draft = new SnapshotDraft(filling);
  const content = new ContentWriter(writer, hasher, pacer);
  await filling.fill({ draft, content, pacer });
  const trees = new TreeWriter(
    draft,
    new MetadataPacker(writer.sink(), hasher),
  );
  const steps = trees.write();
  let step = steps.next();
  while (!step.done) {
    await content.makeRoom();
    step = steps.next();
  }
  return { ids: step.value, totals: trees.totals };
}
