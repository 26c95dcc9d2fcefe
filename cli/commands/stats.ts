import type { Snapshots } from "@snap/snapshot";
import type { WriteStore } from "@snap/store";
import type { CacheFigures } from "@snap/store/cache";
import type { Meter } from "@snap/store/wrap";
import { type Backends, findBackends } from "../snapshots/backends.ts";
import { ExitCode } from "../exit_code.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { resolveRecord } from "../snapshots/resolve_record.ts";
import { tellUsage, usageKind } from "../snapshots/tell_usage.ts";
import type { Session } from "../session.ts";
import type { OpenedStore } from "../stores/opened_store.ts";
import { formatTable } from "../terminal/table.ts";
import { formatCount, formatLocalTime, formatSize } from "../terminal/units.ts";

/** `snap stats [ID]` */
export async function run(session: Session): Promise<number> {
  const [text] = session.args.positionals;
  const kind = usageKind(session);
  return await withSnapshots(
    session,
    { isLight: true },
    async (snapshots, opened) => {
      if (kind !== undefined) await tellUsage(session, snapshots, kind);
      else if (text === undefined) await tellStore(session, snapshots, opened);
      else await tellSnapshot(session, snapshots, text);
      return ExitCode.done;
    },
  );
}

async function tellSnapshot(
  session: Session,
  snapshots: Snapshots,
  text: string,
): Promise<void> {
  const record = await resolveRecord(session, snapshots, text);
  const { tree, record: id, totals } = record;
  if (session.isJson) {
    const { recordFields } = await import("@snap/snapshot/records");
    const fields = recordFields(record);
    return await session.result("", { type: "snapshotStats", ...fields });
  }
  await tell(session, [
    ["id", tree],
    ["record", id],
    ["saved", time(session, record.time)],
    ["host", record.host],
    ["source", record.source],
    ["files", count(session, totals.fileCount)],
    ["size", size(session, totals.byteCount)],
    ["directories", count(session, totals.directoryCount)],
    ["entries", count(session, totals.entryCount)],
    ["with extended attributes", count(session, totals.xattrCount)],
    ["with hard links", count(session, totals.hardLinkCount)],
    ["with holes", count(session, totals.holeCount)],
    ["not read", count(session, record.unreadable.count)],
    ["changed while read", count(session, record.changed.count)],
    ["fidelity", record.fidelity],
  ]);
}

async function tellStore(
  session: Session,
  snapshots: Snapshots<WriteStore>,
  { location, meter, cache }: OpenedStore,
): Promise<void> {
  const { store, config, settings } = snapshots;
  const backends = await findBackends();
  const packs = await sumOf(session, store, "packs/")
    .catch((error: { readonly code?: unknown }) => {
      // The listing of a web server names none.
      if (error.code !== "EROFS") throw error;
      return undefined;
    });
  const index = await sumOf(session, store, "index/");
  const { listRecordNames, listTags } = await import("@snap/snapshot/records");
  const { signal } = session;
  const recordCount = (await listRecordNames(store, { signal })).length;
  const tagCount = (await listTags(snapshots, { signal })).length;
  if (session.isJson) {
    return await session.result("", {
      type: "storeStats",
      path: location,
      storeId: config.storeId,
      createdAt: config.createdAt,
      recordCount,
      tagCount,
      packCount: packs?.count,
      packByteCount: packs?.byteCount,
      indexCount: index.count,
      indexByteCount: index.byteCount,
      settings: config.settings,
      ...backends,
      ...(meter && trafficFields(meter)),
      ...(cache && cacheFields(cache)),
    });
  }
  await tell(session, [
    ["store", location],
    ["store id", config.storeId],
    ["made", time(session, config.createdAt)],
    ["records", count(session, recordCount)],
    ["tags", count(session, tagCount)],
    ["packs", packs ? count(session, packs.count) : ""],
    ["size of packs", packs ? size(session, packs.byteCount) : ""],
    ["indexes", count(session, index.count)],
    ["size of indexes", size(session, index.byteCount)],
    ["codec", settings.codec],
    ...backendRows(backends),
    ...meter === undefined ? [] : trafficRows(session, meter),
    ...cache === undefined ? [] : cacheRows(session, cache),
  ]);
}

/** Requests of this command to a store far away. */
function trafficFields(meter: Meter): Readonly<Record<string, number>> {
  return {
    requestCount: meter.requests,
    retryCount: meter.retries,
    receivedByteCount: meter.bytesIn,
    sentByteCount: meter.bytesOut,
  };
}

function trafficRows(session: Session, meter: Meter): [string, string][] {
  return [
    ["requests of this command", count(session, meter.requests)],
    ["repeated requests", count(session, meter.retries)],
    ["received", size(session, meter.bytesIn)],
    ["sent", size(session, meter.bytesOut)],
  ];
}

/** Requests that this command was spared by the cache. */
function cacheFields(cache: CacheFigures): Readonly<Record<string, number>> {
  return {
    cacheHitCount: cache.hits,
    cacheMissCount: cache.misses,
    cacheByteCount: cache.bytesHit,
  };
}

function cacheRows(
  session: Session,
  { hits, misses, bytesHit }: CacheFigures,
): [string, string][] {
  const reads = hits + misses;
  return [
    [
      "reads without a request",
      `${count(session, hits)} of ${count(session, reads)}`,
    ],
    ["read from the cache", size(session, bytesHit)],
  ];
}

function backendRows({ hasher, files }: Backends): [string, string][] {
  return [["hasher", hasher], ["files", files]];
}

async function sumOf(
  { signal }: Session,
  store: WriteStore,
  prefix: string,
): Promise<{ count: number; byteCount: number }> {
  const sum = { count: 0, byteCount: 0 };
  for await (const batch of store.list(prefix, { signal })) {
    sum.count += batch.length;
    for (const { size } of batch) sum.byteCount += size;
  }
  return sum;
}

async function tell(
  session: Session,
  rows: [string, string][],
): Promise<void> {
  const columns = [{ title: "" }, { title: "" }];
  const { isForPeople } = session;
  const options = { isForPeople, isBare: true };
  for (const line of formatTable(columns, rows, options)) {
    await session.raw(`${line}\n`);
  }
}

function count({ isForPeople }: Session, value: number): string {
  return isForPeople ? formatCount(value) : String(value);
}

function size({ isForPeople }: Session, value: number): string {
  return isForPeople ? formatSize(value) : String(value);
}

function time({ isForPeople }: Session, text: string): string {
  return isForPeople ? formatLocalTime(text) : text;
}
