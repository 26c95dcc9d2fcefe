import type { Hasher } from "@snap/hash";
import type { NamedRecord } from "@snap/snapshot/records";
import type { Meter, Peer, SyncOptions, SyncReport } from "@snap/sync";
import { workerCount } from "../arguments/worker_count.ts";
import { UsageError } from "../arguments/usage_error.ts";
import { CommandError } from "../command_error.ts";
import { ExitCode } from "../exit_code.ts";
import { loadLate } from "../load_late.ts";
import { resolveRecord } from "./resolve_record.ts";
import type { Session } from "../session.ts";
import { openStore } from "../stores/open_store.ts";
import type { OpenedStore, StorePlace } from "../stores/opened_store.ts";
import { renewListing } from "../stores/renew_listing.ts";
import { formatCounted, formatSize } from "../terminal/units.ts";
import { chooseHasher } from "./choose_hasher.ts";

/** Two stores, and what is copied between them. */
export interface CopyPlaces {
  readonly from: StorePlace;
  readonly to: StorePlace;
  /** Whether what the source lacks is copied, too. */
  readonly isBothWays?: boolean;
  /** Snapshots and tags; all if empty. */
  readonly names?: readonly string[];
}

/**
 * Copies snapshots between two stores, and tells what was done.
 *
 * @returns The answer to the shell.
 */
export async function copyBetween(
  session: Session,
  places: CopyPlaces,
): Promise<number> {
  const from = await openStore(session, places.from);
  try {
    const to = await openStore(session, places.to);
    try {
      checkWritable(to);
      if (places.isBothWays) checkWritable(from);
      const hasher = await chooseHasher();
      const { sync } = await import("@snap/sync");
      const { isBothWays = false, names = [] } = places;
      const chosen = await chosenOf(session, from, hasher, names);
      const peers = [
        await peerOf(from, hasher),
        await peerOf(to, hasher),
      ] as const;
      const source = isBothWays && to.exchange ? places.to : places.from;
      const report = await withKeptProofs(
        session,
        source,
        (proofs) =>
          sync(...peers, {
            ...copyOptions(session),
            ...chosen,
            ...proofs,
            pull: isBothWays,
          }),
      );
      return await tellReport(session, report, [from, to]);
    } finally {
      await to[Symbol.asyncDispose]();
    }
  } finally {
    await from[Symbol.asyncDispose]();
  }
}

/** The options that all of these commands have. */
export function copyOptions(session: Session): SyncOptions {
  const { args, signal } = session;
  const mirror = args.text("mirror");
  if (mirror !== undefined && mirror !== "forgets" && mirror !== "exact") {
    throw new UsageError(
      `Cannot mirror ${JSON.stringify(mirror)}: it is forgets or exact`,
    );
  }
  return {
    signal,
    workers: workerCount(session),
    dryRun: args.has("dry-run"),
    recheck: args.has("recheck"),
    ...(mirror === undefined ? {} : { mirror }),
    onProgress: (meter) => session.progress(progressOf(meter)),
  };
}

/** Lets a copy from a server use what was proved before, if it may be kept. */
export async function withKeptProofs<T>(
  session: Session,
  from: StorePlace,
  copy: (proofs: Pick<SyncOptions, "proofs">) => Promise<T>,
): Promise<T> {
  if (from.kind !== "far") return await copy({});
  const { withProofs } = await loadLate(
    "stores/proof_file",
  ) as typeof import("../stores/proof_file.ts");
  return await withProofs(
    session,
    from.cache,
    (proofs) => copy(proofs === undefined ? {} : { proofs }),
  );
}

/** Makes a store a side: one behind a server is asked by messages. */
export async function peerOf(
  { store, location, exchange }: OpenedStore,
  hasher: Hasher,
): Promise<Peer> {
  const { remotePeer, storePeer } = await import("@snap/sync");
  return exchange === undefined
    ? storePeer(store, { hasher, location })
    : remotePeer({ location, exchange }, { hasher });
}

/** Tells what was done, and what could not be. */
export async function tellReport(
  session: Session,
  report: SyncReport,
  stores: readonly OpenedStore[],
): Promise<number> {
  session.clearProgress();
  if (!report.dryRun) {
    for (const opened of stores) await renewListing(session, opened);
  }
  if (report.chunksDiffer) {
    session.warn(
      "The stores cut large files differently, and share little of them",
    );
  }
  const causes = new Set(report.errors.map(({ cause }) => cause));
  const told = report.errors.filter((error) => !causes.has(error));
  for (const { message, hint } of told) {
    session.warn(hint === undefined ? message : `${message}; hint: ${hint}`);
  }
  const { recordsCopied, recordsRemoved, tagEntries, rounds } = report;
  await session.result(summaryOf(report), {
    type: "synced",
    isDryRun: report.dryRun,
    recordsCopied,
    recordsRemoved,
    tagEntries,
    objectsCopied: report.objectsOut,
    objectsSkipped: report.objectsSkipped,
    byteCount: report.bytesTotal,
    receivedByteCount: report.bytesIn,
    sentByteCount: report.bytesOut,
    rounds,
    requests: report.requests,
    errorCount: report.errors.length,
  });
  return report.errors.length === 0 ? ExitCode.done : ExitCode.incomplete;
}

function summaryOf(report: SyncReport): string {
  const { recordsCopied, recordsRemoved, tagEntries, dryRun } = report;
  const removed = recordsRemoved === 0
    ? ""
    : `, ${dryRun ? "would remove" : "removed"} ${recordsRemoved}`;
  const tags = tagEntries === 0
    ? ""
    : `, ${formatCounted(tagEntries, "entry", "entries")} of tags`;
  const snapshots = formatCounted(recordsCopied, "snapshot");
  if (recordsCopied + recordsRemoved + tagEntries === 0) {
    return "Nothing to copy";
  }
  return `${dryRun ? "Would copy" : "Copied"} ${snapshots} with ${
    formatSize(report.bytesTotal)
  } that ${dryRun ? "are" : "were"} missing${removed}${tags}`;
}

function progressOf(meter: Meter): Parameters<Session["progress"]>[0] {
  return {
    unit: "object",
    doneCount: meter.objectsIn + meter.objectsSkipped,
    totalCount: meter.objectsTotal,
    // What has come may be more than was missing, such as directories to look at.
    doneByteCount: Math.min(meter.bytesDone, meter.bytesTotal),
    totalByteCount: meter.bytesTotal,
    isTotalKnown: meter.isWalked,
  };
}

/** Chooses the records and tags that names stand for. */
async function chosenOf(
  session: Session,
  { store, location }: OpenedStore,
  hasher: Hasher,
  names: readonly string[],
): Promise<Pick<SyncOptions, "select" | "tagNames">> {
  const isTagged = session.args.has("tags");
  for (const option of ["all", "tags"]) {
    if (!session.args.has(option)) continue;
    if (names.length > 0) {
      throw new UsageError(`Cannot use --${option} beside names of snapshots`);
    }
    if (option === "all" && isTagged) {
      throw new UsageError("Cannot use --all and --tags together");
    }
  }
  if (names.length === 0 && !isTagged) return {};
  const { openSnapshots } = await import("@snap/snapshot");
  const { TagStore } = await import("@snap/store/format");
  const { signal } = session;
  const how = { hasher, location, signal };
  const tagStore = new TagStore(store);
  const records = new Set<string>();
  const select = ({ record }: NamedRecord) => records.has(record);
  const tags = await tagStore.names({ signal });
  if (isTagged) {
    for (const tag of tags) {
      const last = await tagStore.newest(tag, { signal });
      if (last === undefined) continue;
      if (last.damage === undefined) records.add(last.head.record);
      else session.warn(`Cannot read tag ${tag}: ${last.damage.message}`);
    }
    return { select };
  }
  const snapshots = await openSnapshots(store, how);
  try {
    for (const name of names) {
      const { record } = await resolveRecord(session, snapshots, name);
      records.add(record);
    }
    return { select, tagNames: names.filter((name) => tags.includes(name)) };
  } finally {
    await snapshots[Symbol.asyncDispose]();
  }
}

function checkWritable({ location, readOnly }: OpenedStore): void {
  if (readOnly === undefined) return;
  const { reason, hint } = readOnly;
  throw new CommandError(`Cannot add to ${location}: ${reason}`, hint);
}
