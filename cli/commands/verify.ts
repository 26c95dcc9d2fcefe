import type { Damage } from "@snap/snapshot/damage";
import type { VerifyProgress, VerifyReport } from "@snap/snapshot/verify";
import { ExitCode } from "../exit_code.ts";
import { jsonPath, type JsonRecord } from "../json_line.ts";
import { withSnapshots } from "../open_snapshots.ts";
import { COMMAND } from "../product.ts";
import type { Progress } from "../progress_line.ts";
import { resolveRecord } from "../resolve_record.ts";
import type { Session } from "../session.ts";
import { formatCount, formatCounted, formatSize } from "../units.ts";

/** What a save stores again once its pack is not there. */
const MENDED: readonly Damage["subject"][] = ["object", "pack"];

/** `snap verify [ID]` */
export async function run(session: Session): Promise<number> {
  try {
    return await verifyStore(session);
  } catch (error) {
    // A store whose config cannot be read does not open, and is damaged all the same.
    if (!(error instanceof Error && error.name === "DocumentSyntaxError")) {
      throw error;
    }
    const { message } = error;
    const damage = { subject: "config", reason: "damaged", message };
    await session.result(message, {
      type: "damage",
      ...damage,
      paths: [],
      pathCount: 0,
    });
    return ExitCode.damaged;
  }
}

async function verifyStore(session: Session): Promise<number> {
  const { args, signal } = session;
  const [text] = args.positionals;
  return await withSnapshots(session, {}, async (snapshots) => {
    const { verify } = await import("@snap/snapshot/verify");
    const records = text === undefined
      ? {}
      : { records: [await resolveRecord(session, snapshots, text)] };
    const report = await verify(snapshots, {
      ...records,
      data: args.has("data"),
      signal,
      onProgress: (progress) => session.progress(progressOf(progress)),
    });
    session.clearProgress();
    await tellDamages(session, report);
    if (session.isJson) await session.result("", verifiedRecord(report));
    else tellSummary(session, report);
    return report.damageCount > 0 ? ExitCode.damaged : ExitCode.done;
  });
}

function progressOf(progress: VerifyProgress): Progress {
  const { phase } = progress;
  const hasObjects = phase === "contents" || phase === "trees";
  return {
    unit: hasObjects ? "object" : "pack",
    doneCount: hasObjects ? progress.objectCount : progress.packCount,
    totalCount: hasObjects ? 0 : progress.packTotal,
    doneByteCount: progress.byteCount,
    totalByteCount: progress.byteTotal,
    isTotalKnown: !hasObjects,
  };
}

async function tellDamages(
  session: Session,
  { damages, damageCount }: VerifyReport,
): Promise<void> {
  const { displayPath } = await import("@snap/manifest/path");
  for (const damage of damages) {
    const { paths, pathCount } = damage;
    const lines = paths.map(({ snapshot, path }) =>
      `  needed by ${snapshot.slice(0, 12)}:${displayPath(path)}`
    );
    if (pathCount > paths.length) {
      lines.push(`  and by ${formatCount(pathCount - paths.length)} more`);
    }
    const text = [damage.message, ...lines].join("\n");
    await session.result(text, damageRecord(damage));
  }
  const hidden = damageCount - damages.length;
  if (hidden > 0) session.warn(`Cannot list ${formatCount(hidden)} more`);
}

function damageRecord(damage: Damage): JsonRecord {
  const paths = damage.paths.map(({ snapshot, path }) => ({
    id: snapshot,
    ...jsonPath("path", path),
  }));
  const { subject, reason, message, id, kind, storeName, pathCount } = damage;
  return {
    type: "damage",
    subject,
    reason,
    message,
    ...(id === undefined ? {} : { id }),
    ...(kind === undefined ? {} : { objectKind: kind }),
    ...(storeName === undefined ? {} : { storeName }),
    paths,
    pathCount,
  };
}

function tellSummary(session: Session, report: VerifyReport): void {
  const { recordCount, objectCount, byteCount, damageCount } = report;
  const found = damageCount === 0
    ? "no damage"
    : formatCounted(damageCount, "damage");
  const read = byteCount > 0 ? `, ${formatSize(byteCount)} read` : "";
  const message = `Verified ${formatCounted(recordCount, "record")}, ${
    formatCounted(objectCount, "object")
  }${read}: ${found}`;
  session.note(message);
  if (report.orphanPackCount > 0) {
    session.note(
      `${
        formatCounted(report.orphanPackCount, "pack")
      } of unfinished saves not looked at: ${
        formatSize(report.orphanByteCount)
      }`,
    );
  }
  if (report.damages.some(({ subject }) => MENDED.includes(subject))) {
    session.note(
      `To mend it, move the damaged packs out of the store, keep them, and save each directory once more: ${COMMAND} save stores again what no pack holds`,
    );
  }
}

function verifiedRecord(report: VerifyReport): JsonRecord {
  const { damages: _, orphanPacks: __, ...counts } = report;
  return { type: "verified", ...counts };
}
