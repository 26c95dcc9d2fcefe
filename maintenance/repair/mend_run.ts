import { hexOf, ID_SIZE, idFromBytes, idToBytes } from "@snap/hash";
import { pathToText } from "@snap/manifest/path";
import {
  type ObjectWriter,
  openObjectWriter,
  randomBytes,
  type RepairOptions,
  type WriterMode,
} from "@snap/pack/write";
import type { Snapshots } from "@snap/snapshot";
import {
  finishedSaves,
  type NamedRecord,
  type PathSample,
  type SnapshotRecord,
  writeRecord,
} from "@snap/snapshot/records";
import { countTotals, MetadataPacker } from "@snap/snapshot/write";
import type { WriteStore } from "@snap/store";
import { PATH_SAMPLE_MAX } from "@snap/store/format";
import { openCarefulReader } from "./careful_reader.ts";
import { damagedTables } from "./damaged_tables.ts";
import {
  type LostEntries,
  type MendedDirectory,
  TreeMender,
} from "./tree_mender.ts";

/** A record as far as it is known before its snapshot is. */
export type RecordRest = Omit<SnapshotRecord, "tree" | "page" | "totals">;

/**
 * Names the first of what is lost.
 *
 * @param lost What is lost.
 * @returns What a record has of it.
 */
export function sampleOf(lost: LostEntries): PathSample {
  const { count, paths } = lost;
  return { count, first: paths.slice(0, PATH_SAMPLE_MAX).map(pathToText) };
}

/**
 * Tells whether a directory is not all that it was.
 *
 * @param mended The directory.
 * @returns Whether anything is lost.
 */
export function hasLost({ lost }: MendedDirectory): boolean {
  return lost.count + lost.attributeCount > 0;
}

/** Mends a snapshot; undefined if its root is lost. */
export type Mend = (
  ids: Pick<SnapshotRecord, "tree" | "page">,
) => Promise<MendedDirectory | undefined>;

/** A snapshot that is to be mended and recorded. */
export interface MendTask {
  /** The ids of its root. */
  readonly root: Pick<SnapshotRecord, "tree" | "page">;
  /** Says what the record has beside ids and totals. */
  readonly rest: (lost: LostEntries) => RecordRest;
}

/** Most entries of a snapshot: directories that stand in many places multiply what a store can claim. */
const ENTRY_COUNT_MAX = 2 ** 31;

/** Most records that are written under one lease. */
const RECORDS_MAX = 1000;

/**
 * Opens what mends trees, and writes nothing: the ids of what would be left are those
 * that {@linkcode recordMended} writes.
 *
 * @param snapshots The store.
 * @param options What ends the wait.
 * @param use Mends.
 * @returns What `use` returns.
 */
export async function withMender<T>(
  snapshots: Snapshots<WriteStore>,
  options: RepairOptions,
  use: (mend: Mend) => Promise<T>,
): Promise<T> {
  const writer = await openWriter(snapshots, options, "count");
  try {
    return await mendWith(snapshots, options, writer, use);
  } finally {
    await writer[Symbol.asyncDispose]();
  }
}

/**
 * Mends snapshots, and writes a record of what is left of each.
 *
 * @param snapshots The store.
 * @param options What ends the wait.
 * @param tasks The snapshots.
 * @returns Their records, in this order; undefined for a root that is lost.
 */
export async function recordMended(
  snapshots: Snapshots<WriteStore>,
  options: RepairOptions,
  tasks: readonly MendTask[],
): Promise<(NamedRecord | undefined)[]> {
  const records: (NamedRecord | undefined)[] = [];
  for (let at = 0; at < tasks.length; at += RECORDS_MAX) {
    const some = tasks.slice(at, at + RECORDS_MAX);
    records.push(...await recordSome(snapshots, options, some));
  }
  return records;
}

async function recordSome(
  snapshots: Snapshots<WriteStore>,
  options: RepairOptions,
  tasks: readonly MendTask[],
): Promise<(NamedRecord | undefined)[]> {
  const { random = randomBytes } = options;
  const saveIds = tasks.map(() => random(16));
  const writer = await openWriter(snapshots, options, "new", saveIds);
  try {
    try {
      const mended = await mendWith(
        snapshots,
        options,
        writer,
        async (mend) => {
          const mended: (MendedDirectory | undefined)[] = [];
          for (const { root } of tasks) mended.push(await mend(root));
          return mended;
        },
      );
      await writer.finish();
      await snapshots.refresh();
      const records: (NamedRecord | undefined)[] = [];
      for (const [i, { rest }] of tasks.entries()) {
        const left = mended[i];
        records.push(
          left && await record(snapshots, options, {
            ids: left.ids,
            rest: rest(left.lost),
            saveId: saveIds[i],
          }),
        );
      }
      await writer.confirm();
      return records;
    } catch (error) {
      await writer.giveUp();
      throw error;
    } finally {
      await snapshots.refresh();
    }
  } finally {
    await writer[Symbol.asyncDispose]();
  }
}

async function openWriter(
  snapshots: Snapshots<WriteStore>,
  options: RepairOptions,
  mode: WriterMode,
  saveIds: readonly Uint8Array[] = [],
): Promise<ObjectWriter> {
  const { store, hasher, settings } = snapshots;
  const { random = randomBytes, signal } = options;
  return await openObjectWriter(store, {
    ...options,
    action: "repair",
    saveId: saveIds[0] ?? random(16),
    saveIds: saveIds.slice(1).map(hexOf),
    hasher,
    settings,
    mode,
    damagedTables: new Set(await damagedTables(snapshots, { signal })),
    finishedSaves: () => finishedSaves(store, { signal }),
  });
}

async function mendWith<T>(
  { store, hasher }: Snapshots<WriteStore>,
  { signal }: RepairOptions,
  writer: ObjectWriter,
  use: (mend: Mend) => Promise<T>,
): Promise<T> {
  const careful = await openCarefulReader(store, { hasher, signal });
  try {
    const { reader } = careful;
    const packer = new MetadataPacker(writer.sink(), hasher);
    const mender = new TreeMender({ reader, packer, signal });
    return await use(async ({ tree, page }) => {
      if (writer.isFull) await writer.makeRoom();
      if (writer.isBehind) await writer.settled();
      return await mender.mend(idToBytes(tree), idToBytes(page));
    });
  } finally {
    await careful[Symbol.asyncDispose]();
  }
}

async function record(
  snapshots: Snapshots<WriteStore>,
  { random = randomBytes, signal }: RepairOptions,
  { ids, rest, saveId }: {
    readonly ids: Uint8Array;
    readonly rest: RecordRest;
    readonly saveId: Uint8Array;
  },
): Promise<NamedRecord> {
  const treeId = ids.slice(0, ID_SIZE), pageId = ids.slice(ID_SIZE);
  const reader = await snapshots.reader();
  const how = { entryCountMax: ENTRY_COUNT_MAX, signal };
  const totals = await countTotals(reader, { treeId, pageId }, how);
  const tree = idFromBytes(treeId), page = idFromBytes(pageId);
  const written = { tree, page, totals, ...rest };
  const marks = { saveId, salt: random(32), signal };
  return (await writeRecord(snapshots, written, marks)).record;
}
