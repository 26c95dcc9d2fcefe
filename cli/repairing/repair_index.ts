import type { RepairIndexReport } from "@snap/maintenance/repair";
import { ExitCode } from "../exit_code.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { COMMAND } from "../product.ts";
import type { Session } from "../session.ts";
import { renewListing } from "../stores/renew_listing.ts";
import { formatCounted } from "../terminal/units.ts";
import { verifyProgressOf } from "../terminal/verify_progress.ts";

/** Runs `snap repair index`. */
export async function repairIndexOf(session: Session): Promise<number> {
  return await withSnapshots(
    session,
    { isQuiet: true, isWriting: true, isUncached: true },
    async (snapshots, opened) => {
      const { repairIndex } = await import("@snap/maintenance/repair");
      const report = await repairIndex(snapshots, {
        signal: session.signal,
        onProgress: (progress) => session.progress(verifyProgressOf(progress)),
      });
      session.clearProgress();
      await renewListing(session, opened);
      for (const { name, error } of report.damagedPacks) {
        session.warn(`Cannot use ${name}, which is damaged: ${error.message}`);
      }
      await session.result(summaryOf(report), {
        type: "repairedIndex",
        packCount: report.packCount,
        replacedTables: report.replacedTables,
        keptTables: report.keptTables,
        missingCount: report.missingCount,
        unfinishedPackCount: report.unfinishedPackCount,
        damagedPacks: report.damagedPacks.map(({ name }) => name),
      });
      tellKept(session, report);
      const isWhole =
        report.keptTables.length + report.damagedPacks.length === 0;
      return isWhole ? ExitCode.done : ExitCode.damaged;
    },
  );
}

function summaryOf({ packCount, replacedTables }: RepairIndexReport): string {
  if (packCount + replacedTables.length === 0) {
    return "Nothing to repair: the index names every pack";
  }
  const replaced = replacedTables.length === 0
    ? ""
    : `, and replaced ${formatCounted(replacedTables.length, "damaged table")}`;
  return `Wrote what ${formatCounted(packCount, "pack")} ${
    packCount === 1 ? "says" : "say"
  } into the index${replaced}`;
}

function tellKept(session: Session, report: RepairIndexReport): void {
  const { keptTables, missingCount } = report;
  if (keptTables.length === 0) return;
  session.warn(
    `Cannot replace ${
      formatCounted(keptTables.length, "damaged table")
    }: snapshots need ${
      formatCounted(missingCount, "object")
    } that no pack holds: ${COMMAND} verify names them, ${COMMAND} save --read-all DIR stores again what is there still`,
  );
}
