import { type Id, idFromBytes } from "@snap/hash";
import {
  type ObjectWriter,
  openObjectWriter,
  randomBytes,
} from "@snap/pack/write";
import { Pacer } from "@snap/posix/pacer";
import type { Snapshots } from "@snap/snapshot";
import {
  confirmRecords,
  finishedSaves,
  type NamedRecord,
  type Totals,
  writeRecord,
} from "@snap/snapshot/records";
import { ContentWriter } from "@snap/save/content";
import { MetadataPacker } from "@snap/snapshot/write";
import type { StoreOptions, WriteStore } from "@snap/store";
import { timeText } from "@snap/store/format";
import { ImportLimit } from "../import_limit.ts";
import { SnapshotDraft, type SnapshotDraftOptions } from "./snapshot_draft.ts";
import { TreeWriter } from "./tree_writer.ts";

/** Options of an import: what its record says. */
export interface ImportOptions extends StoreOptions {
  /** Where the archive is, for the record: an absolute path, or an address. */
  source?: string;
  /** The name of the machine, for the record. */
  host?: string;
  /** The name of the user, for the record. */
  user?: string;
  /** Description of the snapshot. */
  message?: string;
  /** The program that imports, for the record. */
  program?: string;
  /**
   * Most plain bytes: of archives, of holes, of objects that are read.
   *
   * @default {2 ** 44}
   */
  sizeMax?: number;
  /** Where random bytes come from. */
  random?: (size: number) => Uint8Array;
  /** The clock, in milliseconds since 1970. */
  now?: () => number;
}

/** Result of an import. */
export interface ImportResult {
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

/** A snapshot that is being imported. */
export interface ImportRun {
  /** Takes the entries. */
  readonly draft: SnapshotDraft;
  /** Takes the content of files. */
  readonly content: ContentWriter;
  /** Lets the event loop have its turn. */
  readonly pacer: Pacer;
  /** What all of it may come to. */
  readonly limit: ImportLimit;
}

/** How {@linkcode importSnapshot} fills a snapshot. */
export interface Filling extends SnapshotDraftOptions {
  /** Adds all entries. What it throws ends the import, and there is no record. */
  readonly fill: (run: ImportRun) => Promise<void>;
}

/**
 * Makes a snapshot of entries that come in any order. The record is written last:
 * what ends early leaves none.
 *
 * @param snapshots The store to import into.
 * @param filling What adds the entries.
 * @param options What the record says.
 * @returns The snapshot.
 * @throws {StoreError} If the store fails.
 */
export async function importSnapshot(
  snapshots: Snapshots<WriteStore>,
  filling: Filling,
  options: ImportOptions = {},
): Promise<ImportResult> {
  const { store, hasher, settings } = snapshots;
  const { signal, random = randomBytes, now = Date.now } = options;
  const startMs = now();
  const saveId = random(16);
  const writer = await openObjectWriter(store, {
    ...options,
    ...{ saveId, hasher, settings, action: "import" },
    finishedSaves: () => finishedSaves(store, { signal }),
  });
  try {
    const { ids, totals } = await fillStore(writer, snapshots, {
      filling,
      signal,
      sizeMax: options.sizeMax,
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
  { filling, signal, sizeMax }: {
    readonly filling: Filling;
    readonly signal: AbortSignal | undefined;
    readonly sizeMax: number | undefined;
  },
): Promise<{ readonly ids: Uint8Array; readonly totals: Totals }> {
  const pacer = new Pacer({ ...signal && { signal } });
  const draft = new SnapshotDraft(filling);
  const content = new ContentWriter(writer, hasher, pacer);
  const limit = new ImportLimit({ sizeMax, signal });
  await filling.fill({ draft, content, pacer, limit });
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
