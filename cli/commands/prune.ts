import type {
  PruneHolder,
  PruneOptions,
  PruneProgress,
  PruneReport,
} from "@snap/maintenance/prune";
import type { ReadStore } from "@snap/store";
import { UsageError } from "../arguments/usage_error.ts";
import { CommandError } from "../command_error.ts";
import { ExitCode } from "../exit_code.ts";
import { COMMAND, PRODUCT } from "../product.ts";
import type { Session } from "../session.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { renewListing } from "../stores/renew_listing.ts";
import type { Progress } from "../terminal/progress_line.ts";
import {
  formatCounted,
  formatLocalTime,
  formatSize,
  parseSize,
  parseWait,
} from "../terminal/units.ts";
import { VERSION } from "../version.ts";

/**
 * `snap prune`, and the second half of `snap forget --prune`
 *
 * @param forgotten Ids of records that a dry run takes for forgotten.
 */
export async function run(
  session: Session,
  forgotten: readonly string[] = [],
): Promise<number> {
  const options = pruneOptions(session);
  const isDryRun = options.dryRun === true;
  // Whoever saves meanwhile is waited for, this is not.
  if (!isDryRun) await session.context.lowerPriority?.();
  return await withSnapshots(
    session,
    { isWriting: !isDryRun },
    async (snapshots, opened) => {
      const { prune } = await import("@snap/maintenance/prune");
      const report = await prune(snapshots, {
        ...options,
        ...(isDryRun && { forgotten }),
        despite: await recordsOf(session, snapshots.store),
        onProgress: (progress) => session.progress(progressOf(progress)),
        onWait: (holders) => tellHolders(session, holders),
      });
      session.clearProgress();
      if (!isDryRun) await renewListing(session, opened);
      for (const { name, error } of report.damagedPacks) {
        session.warn(
          `Cannot write ${name} again, so it stays: ${error.message}`,
          { hint: `${COMMAND} verify --data names what is damaged` },
        );
      }
      const { damagedPacks, ...fields } = report;
      await session.result(summaryOf(report, isDryRun), {
        type: "pruned",
        dryRun: isDryRun,
        ...fields,
        damagedPacks: damagedPacks.map(({ name }) => name),
      });
      return await end(session, report, isDryRun);
    },
  );
}

function pruneOptions(session: Session): PruneOptions {
  const { args, signal, context } = session;
  const percent = args.number("max-unused", 100);
  const size = args.text("max-repack");
  const maxRepack = size === undefined ? undefined : parseSize(size);
  if (size !== undefined && maxRepack === undefined) {
    throw wrong("--max-repack", "takes bytes such as 10g", size);
  }
  const time = args.text("wait");
  const waitMs = time === undefined ? undefined : parseWait(time);
  if (time !== undefined && waitMs === undefined) {
    throw wrong("--wait", "takes a time such as 90s, 40m or 2h", time);
  }
  return {
    signal,
    maxUnused: percent === undefined ? undefined : percent / 100,
    maxRepack,
    waitMs,
    recompress: args.text("recompress"),
    dryRun: args.has("dry-run"),
    singleWriter: args.has("single-writer"),
    host: context.hostname?.() ?? "",
    program: `${PRODUCT} ${VERSION}`,
  };
}

function wrong(option: string, need: string, found: string | undefined): Error {
  return new UsageError(
    `Cannot use ${option} ${JSON.stringify(found)}: it ${need}`,
  );
}

/** The records of snapshots that are known to be broken: not even they need to be readable. */
async function recordsOf(
  session: Session,
  store: ReadStore,
): Promise<string[]> {
  const { args, signal } = session;
  const ids = args.list("despite");
  if (ids.length === 0) return [];
  const { listRecordNames } = await import("@snap/snapshot/records");
  const names = await listRecordNames(store, { signal });
  return ids.flatMap((id) => {
    const found = names.filter(({ tree, record }) =>
      id.length >= 8 && (tree.startsWith(id) || record.startsWith(id))
    );
    if (found.length > 0) return found.map(({ record }) => record);
    throw new CommandError(
      `Cannot find snapshot ${JSON.stringify(id)}: no id begins so`,
      `--despite takes 8 digits of an id or more, as ${COMMAND} verify names it`,
    );
  });
}

function progressOf(progress: PruneProgress): Progress {
  const { phase, doneCount, totalCount, byteCount, totalByteCount } = progress;
  return {
    unit: phase === "mark" ? "snapshot" : "pack",
    doneCount,
    totalCount,
    doneByteCount: byteCount,
    totalByteCount,
    isTotalKnown: true,
  };
}

function tellHolders(session: Session, holders: readonly PruneHolder[]): void {
  for (const holder of holders) {
    session.say(`Waiting for ${nameOf(holder)}`);
  }
}

function nameOf({ action, program, host, time }: PruneHolder): string {
  const what = action === "" ? "a run" : `a ${action}`;
  const which = program === "" ? "" : ` by ${program}`;
  const where = host === "" ? "" : ` on ${host}`;
  return time === ""
    ? `${what} whose lease is damaged`
    : `${what}${which}${where}, since ${formatLocalTime(time)}`;
}

function summaryOf(report: PruneReport, isDryRun: boolean): string {
  const { removedPackCount, removedByteCount } = report;
  const { repackedPackCount, writtenByteCount } = report;
  if (removedPackCount === 0) return "Nothing to remove";
  const verb = isDryRun ? "Would remove" : "Removed";
  const again = repackedPackCount === 0
    ? ""
    : `; what is needed of ${formatCounted(repackedPackCount, "pack")} takes ${
      isDryRun ? "about " : ""
    }${formatSize(writtenByteCount)}`;
  return `${verb} ${formatCounted(removedPackCount, "pack")}, ${
    formatSize(removedByteCount)
  }${again}`;
}

async function end(
  session: Session,
  report: PruneReport,
  isDryRun: boolean,
): Promise<number> {
  const { waitingFor, condemnedPackCount, condemnedByteCount } = report;
  if (report.isFull) {
    session.warn(
      "Cannot write packs again, as there is no space: only those were removed that nothing needs",
      { hint: `now that there is some, run ${COMMAND} prune again` },
    );
  }
  if (waitingFor.length === 0) {
    const isPart = report.isFull || report.damagedPacks.length > 0;
    return isPart ? ExitCode.incomplete : ExitCode.done;
  }
  await session.flush();
  if (isDryRun) {
    for (const one of waitingFor) session.say(`Would wait for ${nameOf(one)}`);
    return ExitCode.done;
  }
  session.error(
    `Cannot remove ${formatCounted(condemnedPackCount, "pack")}, ${
      formatSize(condemnedByteCount)
    }, before those have ended who may rely on them: ${
      waitingFor.slice(0, 3).map(nameOf).join("; ")
    }${waitingFor.length > 3 ? `; and ${waitingFor.length - 3} more` : ""}`,
    { hint: `run ${COMMAND} prune again, or with --wait 40m` },
  );
  return ExitCode.incomplete;
}
