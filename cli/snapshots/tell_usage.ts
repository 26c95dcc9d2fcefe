import type { Usage } from "@snap/maintenance/usage";
import type { Snapshots } from "@snap/snapshot";
import { UsageError } from "../arguments/usage_error.ts";
import type { Session } from "../session.ts";
import { formatGrowth } from "../terminal/diff_stat.ts";
import { type Column, formatTable } from "../terminal/table.ts";
import { formatCount, formatLocalTime, formatSize } from "../terminal/units.ts";
import { resolveRecord } from "./resolve_record.ts";

/** Most directories on the way that make a row. */
const DEPTH_MAX = 1024;
const DIGITS = 8;

/** What is measured for `stats`, as its options say. */
export type UsageKind = "snapshot" | "directory" | "type" | "packs" | "deep";

/**
 * Reads what is to be measured.
 *
 * @returns The kind; undefined for what can be told without going through trees.
 * @throws {UsageError} If options or arguments do not go together.
 */
export function usageKind({ args }: Session): UsageKind | undefined {
  const by = args.text("by");
  const given = ["by", "packs", "deep"].filter((one) => args.has(one));
  if (given.length > 1) {
    throw new UsageError(`Cannot use --${given[0]} and --${given[1]} at once`);
  }
  if (by !== undefined && !["snapshot", "directory", "type"].includes(by)) {
    throw new UsageError(
      `Cannot use --by ${
        JSON.stringify(by)
      }: it is snapshot, directory or type`,
    );
  }
  const isGrowth = args.has("growth");
  const isOfFiles = by === "directory" || by === "type";
  if (isGrowth && given.length > 0 && !isOfFiles) {
    throw new UsageError("Cannot use --growth but by directory or type");
  }
  if (args.has("depth") && by !== "directory" && !(isGrowth && !by)) {
    throw new UsageError("Cannot use --depth but by directory");
  }
  const count = args.positionals.length;
  const wanted = isGrowth ? 2 : isOfFiles || args.has("packs") ? 1 : undefined;
  if (isGrowth && count !== 2) {
    throw new UsageError("Cannot use --growth without two snapshots");
  }
  if (
    count > (wanted ?? 1) ||
    count > 0 && (by === "snapshot" || args.has("deep"))
  ) {
    throw new UsageError(
      `Cannot use ${
        JSON.stringify(args.positionals.at(-1))
      }: it is one too many`,
    );
  }
  if (args.has("packs")) return "packs";
  if (args.has("deep")) return "deep";
  return by as UsageKind | undefined ?? (isGrowth ? "directory" : undefined);
}

/** Tells what was measured. */
export async function tellUsage(
  session: Session,
  snapshots: Snapshots,
  kind: UsageKind,
): Promise<void> {
  if (kind === "packs") return await tellPacks(session, snapshots);
  if (kind === "directory" || kind === "type") {
    return await tellSizes(session, snapshots, kind);
  }
  const usage = await measure(session, snapshots);
  if (kind === "deep") await tellSums(session, usage);
  else await tellSnapshots(session, usage);
}

async function measure(
  session: Session,
  snapshots: Snapshots,
): Promise<Usage> {
  const { signal } = session;
  const { measureSnapshots } = await import("@snap/maintenance/usage");
  const records = await snapshots.records({
    signal,
    onDamage: ({ record }, error) =>
      session.warn(`Cannot use record ${record}, and pass it over: ${error}`),
  });
  const usage = await measureSnapshots(snapshots, records, {
    signal,
    onProgress: (doneCount, totalCount) =>
      session.progress({
        unit: "snapshot",
        doneCount,
        totalCount,
        doneByteCount: 0,
        isTotalKnown: true,
      }),
  });
  session.clearProgress();
  return usage;
}

async function tellSums(session: Session, usage: Usage): Promise<void> {
  const { plainByteCount, contentByteCount, stored, snapshots } = usage;
  if (session.isJson) {
    return await session.result("", {
      type: "usage",
      snapshotCount: snapshots.length,
      snapshotByteCount: plainByteCount,
      contentByteCount,
      ...stored,
    });
  }
  await write(session, [{ title: "" }, { title: "" }], [
    ["snapshots", count(session, snapshots.length)],
    ["size of all of them", size(session, plainByteCount)],
    ["different content", size(session, contentByteCount)],
    ["objects", count(session, stored.objectCount)],
    ["size of objects", size(session, stored.plainByteCount)],
    ["stored in packs", size(session, stored.storedByteCount)],
    ["deduplication", ratio(plainByteCount, contentByteCount)],
    ["compression", ratio(stored.plainByteCount, stored.storedByteCount)],
  ], true);
}

async function tellSnapshots(session: Session, usage: Usage): Promise<void> {
  const { isForPeople } = session;
  const hosts = new Set(usage.snapshots.map(({ record }) => record.host));
  const isOneHost = hosts.size === 1;
  const rows: string[][] = [];
  for (const { record, unique } of usage.snapshots) {
    const { tree, record: id, time, host, source, totals } = record;
    if (session.isJson) {
      await session.result("", {
        type: "snapshotUsage",
        ...{ id: tree, record: id, time, host, source },
        byteCount: totals.byteCount,
        unique,
      });
    }
    rows.push([
      isForPeople ? tree.slice(0, DIGITS) : tree,
      isForPeople ? id.slice(0, DIGITS) : id,
      isForPeople ? formatLocalTime(time) : time,
      isForPeople && isOneHost ? "" : host,
      source,
      size(session, totals.byteCount),
      count(session, unique.objectCount),
      // There is no room for all of it on a terminal.
      isForPeople ? "" : String(unique.plainByteCount),
      size(session, unique.storedByteCount),
    ]);
  }
  if (session.isJson) return;
  await write(session, [
    { title: "id" },
    { title: "record" },
    { title: "time" },
    { title: "host", keeps: "start" },
    { title: "source", keeps: "end" },
    { title: "size", isNumber: true },
    { title: "own", isNumber: true },
    { title: "their size", isNumber: true },
    { title: "stored", isNumber: true },
  ], rows);
}

async function tellPacks(
  session: Session,
  snapshots: Snapshots,
): Promise<void> {
  const { signal } = session;
  const { packsOf } = await import("@snap/maintenance/usage");
  const [text = "latest"] = session.args.positionals;
  const record = await resolveRecord(session, snapshots, text);
  const rows: string[][] = [];
  for (const pack of await packsOf(snapshots, record, { signal })) {
    const { packName, packSize, byteCount, objectCount } = pack;
    if (session.isJson) {
      await session.result("", {
        type: "neededPack",
        storeName: packName,
        packSize,
        byteCount,
        objectCount,
      });
    }
    rows.push([
      packName,
      size(session, packSize),
      size(session, byteCount),
      count(session, objectCount),
    ]);
  }
  if (session.isJson) return;
  await write(session, [
    { title: "pack" },
    { title: "size", isNumber: true },
    { title: "needed", isNumber: true },
    { title: "objects", isNumber: true },
  ], rows);
}

async function tellSizes(
  session: Session,
  snapshots: Snapshots,
  by: "directory" | "type",
): Promise<void> {
  const { args, signal } = session;
  const { sizesBy } = await import("@snap/maintenance/usage");
  const { diffSnapshots, snapshotSide } = await import("@snap/snapshot/query");
  const objects = await snapshots.reader();
  const sideOf = async (text: string) => {
    const record = await resolveRecord(session, snapshots, text);
    return snapshotSide(objects, record, { attributes: false, signal });
  };
  const isGrowth = args.has("growth");
  const texts = args.positionals.length > 0 ? args.positionals : ["latest"];
  const before = isGrowth ? await sideOf(texts[0]) : undefined;
  const after = await sideOf(texts.at(-1)!);
  const changes = diffSnapshots(before, after, { signal });
  const depth = args.number("depth", DEPTH_MAX) ?? 1;
  const { isForPeople } = session;
  const rows: string[][] = [];
  for (const row of await sizesBy(changes, { by, depth })) {
    const { name, fileCount, byteCount } = row;
    if (session.isJson) {
      await session.result("", {
        type: isGrowth ? "growth" : "sizes",
        by,
        ...row,
      });
    }
    rows.push([
      name === "" && isForPeople ? "(none)" : name,
      count(session, fileCount),
      isGrowth && isForPeople
        ? formatGrowth(byteCount)
        : size(session, byteCount),
    ]);
  }
  if (session.isJson) return;
  await write(session, [
    { title: by },
    { title: "files", isNumber: true },
    { title: isGrowth ? "growth" : "size", isNumber: true },
  ], rows);
}

async function write(
  session: Session,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  isBare = false,
): Promise<void> {
  const { isForPeople, width } = session;
  const options = { isForPeople, width, isBare };
  for (const line of formatTable(columns, rows, options)) {
    await session.raw(`${line}\n`);
  }
}

/** How many times as large, with two digits; 1 of nothing. */
function ratio(large: number, small: number): string {
  return small === 0 ? "1" : String(Math.round(100 * large / small) / 100);
}

function count({ isForPeople }: Session, value: number): string {
  return isForPeople ? formatCount(value) : String(value);
}

function size({ isForPeople }: Session, value: number): string {
  return isForPeople ? formatSize(value) : String(value);
}
