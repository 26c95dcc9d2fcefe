import type {
  LostEntries,
  RepairedSnapshot,
  RepairSnapshotsReport,
} from "@snap/maintenance/repair";
import { displayPath } from "@snap/manifest/path";
import { formatRecordName } from "@snap/snapshot/records";
import { ExitCode } from "../exit_code.ts";
import { COMMAND, PRODUCT } from "../product.ts";
import type { Session } from "../session.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { resolveRecord } from "../snapshots/resolve_record.ts";
import { renewListing } from "../stores/renew_listing.ts";
import { jsonPath, type JsonRecord } from "../terminal/json_line.ts";
import { formatCount, formatCounted } from "../terminal/units.ts";
import { VERSION } from "../version.ts";

/** Lost paths that are listed of a snapshot, unless all are asked for. */
const LISTED_MAX = 10;

/** Runs `snap repair snapshots`. */
export async function repairSnapshotsOf(
  session: Session,
  names: readonly string[],
): Promise<number> {
  const { args, signal } = session;
  const dryRun = args.has("dry-run");
  const options = { isWriting: !dryRun, isUncached: true };
  return await withSnapshots(session, options, async (snapshots, opened) => {
    const { repairSnapshots } = await import("@snap/maintenance/repair");
    const records = [];
    for (const name of names) {
      records.push(await resolveRecord(session, snapshots, name));
    }
    const report = await repairSnapshots(snapshots, {
      ...(names.length > 0 && { records }),
      dryRun,
      program: `${PRODUCT} ${VERSION}`,
      signal,
    });
    if (!dryRun) await renewListing(session, opened);
    for (const one of report.snapshots) {
      await session.result(textOf(session, one), recordOf(one));
    }
    await session.flush();
    return tellEnd(session, report, dryRun);
  });
}

function tellEnd(
  session: Session,
  { recordCount, snapshots, unreadable }: RepairSnapshotsReport,
  dryRun: boolean,
): number {
  for (const file of unreadable) {
    session.warn(`Cannot read ${formatRecordName(file)}`);
  }
  if (unreadable.length > 0) {
    session.say(`${COMMAND} recover finds what damaged records have named`);
  }
  if (snapshots.length === 0) {
    session.note(
      `Nothing to repair in ${formatCounted(recordCount, "record")}`,
    );
  } else if (dryRun) session.note("Nothing was written, as --dry-run says");
  else {
    session.note(
      `The damaged ones stay until they are forgotten: ${COMMAND} forget ID`,
    );
  }
  const isMended = snapshots.every(({ tree }) => tree !== undefined) &&
    unreadable.length === 0;
  return isMended ? ExitCode.done : ExitCode.damaged;
}

function textOf(session: Session, found: RepairedSnapshot): string {
  const { old, tree, lost, isKnown } = found;
  const what = `${old.tree.slice(0, 12)} of ${old.source}, ${old.time}`;
  if (tree === undefined) return `${what}: all is lost, its root is`;
  const how = isKnown ? "was repaired as" : "repaired as";
  return [`${what}: ${how} ${tree}`, ...lostLines(session, lost)].join("\n");
}

/** Says what is lost, a line each. */
export function lostLines(
  { isVerbose }: Session,
  { count, paths, attributeCount }: LostEntries,
): string[] {
  const listed = isVerbose ? paths : paths.slice(0, LISTED_MAX);
  const lines = listed.map((path) => `  lost: ${displayPath(path) || "."}`);
  const hidden = count - listed.length;
  if (hidden > 0) lines.push(`  and ${formatCount(hidden)} more lost`);
  if (attributeCount > 0) {
    lines.push(
      `  attributes lost in ${formatCount(attributeCount)} places`,
    );
  }
  return lines;
}

/** What is lost, for JSON. */
export function lostFields(
  { count, paths, attributeCount }: LostEntries,
): Record<string, unknown> {
  return {
    lostCount: count,
    lost: paths.map((path) => jsonPath("path", path)),
    lostAttributeCount: attributeCount,
  };
}

function recordOf(found: RepairedSnapshot): JsonRecord {
  const { old, tree, record, isKnown, lost } = found;
  return {
    type: "repairedSnapshot",
    id: old.tree,
    record: old.record,
    newId: tree,
    newRecord: record?.record,
    isKnown,
    ...lostFields(lost),
  };
}
