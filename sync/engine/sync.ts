import type { Id } from "@snap/hash";
import type { NamedRecord } from "@snap/snapshot/records";
import type { SyncOptions, SyncReport } from "../options.ts";
import type {
  Peer,
  PeerSession,
  RecordDifference,
  RecordDocument,
  RecordSet,
} from "../peer/peer.ts";
import { compareSides } from "./compare_sides.ts";
import { copyRecords } from "./copy_records.ts";
import { type Sides, withSides } from "./session.ts";
import { readShared } from "./shared.ts";
import { syncTags } from "./sync_tags.ts";

/**
 * Copies what either side lacks, until nothing is missing: records with all that
 * they reach, and entries of tags. What a side has forgotten does not come back.
 *
 * @param a A side.
 * @param b The other side.
 * @param options Which direction, what, and how.
 * @returns What was done; records that could not be copied are in `errors`.
 * @throws {SyncError} If the sides cannot go on.
 */
export async function sync(
  a: Peer,
  b: Peer,
  options: SyncOptions = {},
): Promise<SyncReport> {
  return await withSides({ a, b }, options, async (sides) => {
    const { push = true, pull = true, tags = true } = options;
    const { a, b, report } = sides;
    const { mine, theirs, apart } = await compareSides(a, b);
    const wants = { push, pull };
    const failed = new Set<Id>();
    const parts = { ...sides, failed };
    const shared = isNothing(apart, options, wants)
      ? []
      : await readShared(a, b, mine, theirs);
    if (push) {
      const way = { from: a, to: b, has: mine, other: theirs };
      await copyWay(parts, way, apart.here, shared, options);
    }
    if (pull) {
      const way = { from: b, to: a, has: theirs, other: mine };
      await copyWay(parts, way, apart.there, shared, options);
    }
    if (tags) {
      report.tagEntries += await syncTags({ a, b, ...wants, failed }, options);
    }
  });
}

/** One direction. */
interface Way {
  readonly from: PeerSession;
  readonly to: PeerSession;
  /** Records of the source. */
  readonly has: RecordSet;
  /** Records of the target. */
  readonly other: RecordSet;
}

async function copyWay(
  { report, context, failed }: Sides & { readonly failed: Set<Id> },
  way: Way,
  only: RecordSet,
  shared: readonly NamedRecord[],
  options: SyncOptions,
): Promise<void> {
  const { from, to, has, other } = way;
  const forgotten = new Set<Id>([...other.forgotten, ...has.forgotten]);
  const names = (options.recheck === true ? has : only).live
    .filter(({ record }) => !forgotten.has(record));
  const documents = (await from.readRecords(names))
    .filter((one) => one !== undefined)
    .filter(({ record }) => options.select?.(record) ?? true);
  const records = oldestFirst(documents);
  const work = { from, to, records, shared, report, context, failed };
  await copyRecords(work, options);
  await mirror(way, report, options);
}

/** Removes at the target what the source has not, as far as that is wanted. */
async function mirror(
  { to, has, other }: Way,
  report: SyncReport,
  options: SyncOptions,
): Promise<void> {
  if (options.mirror === undefined) return;
  const forgotten = new Set(has.forgotten);
  const live = new Set(has.live.map(({ record }) => record));
  const isExact = options.mirror === "exact";
  const gone = other.live.map(({ record }) => record).filter((record) =>
    forgotten.has(record) || (isExact && !live.has(record))
  );
  report.recordsRemoved += gone.length;
  if (gone.length > 0 && options.dryRun !== true) await to.forget(gone);
}

function isNothing(
  { here, there }: RecordDifference,
  options: SyncOptions,
  { push, pull }: { readonly push: boolean; readonly pull: boolean },
): boolean {
  return options.recheck !== true && (!push || here.live.length === 0) &&
    (!pull || there.live.length === 0);
}

function oldestFirst(documents: RecordDocument[]): RecordDocument[] {
  return documents.sort(({ record: a }, { record: b }) =>
    a.time < b.time ? -1 : a.time > b.time ? 1 : a.record < b.record ? -1 : 1
  );
}
