import { ID_SIZE, idFromBytes, idToBytes } from "@snap/hash";
import { pathToText } from "@snap/manifest/path";
import {
  type ObjectWriter,
  openObjectWriter,
  randomBytes,
  type RepairOptions,
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

/** A run that mends snapshots and writes records of them. */
export interface MendRun {
  /** Mends a snapshot; undefined if its root is lost. */
  mend(
    ids: Pick<SnapshotRecord, "tree" | "page">,
  ): Promise<MendedDirectory | undefined>;
  /** Makes durable what was written: records can be. */
  finish(): Promise<void>;
  /** Writes a record of what was mended. */
  write(
    ids: Uint8Array,
    rest: RecordRest,
  ): Promise<NamedRecord>;
}

/** Most entries of a snapshot: directories that stand in many places multiply what a store can claim. */
const ENTRY_COUNT_MAX = 2 ** 31;

/**
 * Opens the writer and what mends trees, and confirms at the end that what was written counts.
 *
 * @param snapshots The store.
 * @param options Whether anything is written.
 * @param use Mends and writes.
 * @returns What `use` returns.
 */
export async function withMender<T>(
  snapshots: Snapshots<WriteStore>,
  options: RepairOptions & { readonly dryRun?: boolean },
  use: (run: MendRun) => Promise<T>,
): Promise<T> {
  const { store, hasher, settings } = snapshots;
  const { random = randomBytes, dryRun = false, signal } = options;
  await using writer = await openObjectWriter(store, {
    ...options,
    saveId: random(16),
    hasher,
    settings,
    mode: dryRun ? "count" : "new",
    damagedTables: new Set(await damagedTables(snapshots, { signal })),
    finishedSaves: () => finishedSaves(store, { signal }),
  });
  try {
    await using careful = await openCarefulReader(store, { hasher, signal });
    const { reader } = careful;
    const packer = new MetadataPacker(writer.sink(), hasher);
    const mender = new TreeMender({ reader, packer, signal });
    const result = await use({
      mend: async ({ tree, page }) => {
        await makeRoom(writer);
        return await mender.mend(idToBytes(tree), idToBytes(page));
      },
      finish: async () => {
        await writer.finish();
        await snapshots.refresh();
      },
      write: async (ids, rest) => {
        const treeId = ids.slice(0, ID_SIZE), pageId = ids.slice(ID_SIZE);
        const read = await snapshots.reader();
        const how = { entryCountMax: ENTRY_COUNT_MAX, signal };
        const totals = await countTotals(read, { treeId, pageId }, how);
        const tree = idFromBytes(treeId), page = idFromBytes(pageId);
        const written = { tree, page, totals, ...rest };
        const marks = { saveId: random(16), salt: random(32), signal };
        return (await writeRecord({ store, hasher }, written, marks)).record;
      },
    });
    await writer.confirm();
    return result;
  } catch (error) {
    await writer.giveUp();
    throw error;
  } finally {
    await snapshots.refresh();
  }
}

async function makeRoom(writer: ObjectWriter): Promise<void> {
  if (writer.isFull) await writer.makeRoom();
  if (writer.isBehind) await writer.settled();
}
