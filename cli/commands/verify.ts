import type { Damage, VerifyReport } from "@snap/snapshot/verify";
import { ExitCode } from "../exit_code.ts";
import { jsonPath, type JsonRecord } from "../terminal/json_line.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { resolveRecord } from "../snapshots/resolve_record.ts";
import type { Session } from "../session.ts";
import { formatCount, formatCounted, formatSize } from "../terminal/units.ts";
import { causesOf, remediesOf } from "../terminal/verify_causes.ts";
import { verifyProgressOf } from "../terminal/verify_progress.ts";

/** Damages that are listed where there are more, unless all are asked for. */
const LISTED_MAX = 10;

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
    const { escapeInvisible } = await import("@snap/manifest/path");
    await session.result(escapeInvisible(message), {
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
  return await withSnapshots(
    session,
    { isUncached: true },
    async (snapshots) => {
      const { verify } = await import("@snap/snapshot/verify");
      const records = text === undefined
        ? undefined
        : [await resolveRecord(session, snapshots, text)];
      const report = await verify(snapshots, {
        records,
        data: args.has("data"),
        signal,
        onProgress: (progress) => session.progress(verifyProgressOf(progress)),
      });
      session.clearProgress();
      await tellDamages(session, report);
      if (session.isJson) await session.result("", verifiedRecord(report));
      else tellSummary(session, report);
      return report.damageCount > 0 ? ExitCode.damaged : ExitCode.done;
    },
  );
}

async function tellDamages(
  session: Session,
  { damages, damageCount }: VerifyReport,
): Promise<void> {
  const { displayPath, escapeInvisible } = await import("@snap/manifest/path");
  const isCut = !session.isJson && !session.isVerbose &&
    damages.length > 2 * LISTED_MAX;
  const listed = isCut ? damages.slice(0, LISTED_MAX) : damages;
  for (const damage of listed) {
    const { paths, pathCount } = damage;
    const lines = paths.map(({ snapshot, path }) =>
      `  needed by ${snapshot.slice(0, 12)}:${displayPath(path)}`
    );
    if (pathCount > paths.length) {
      lines.push(`  and by ${formatCount(pathCount - paths.length)} more`);
    }
    const text = [escapeInvisible(damage.message), ...lines].join("\n");
    await session.result(text, damageRecord(damage));
  }
  await session.flush();
  const hidden = damageCount - listed.length;
  if (hidden === 0) return;
  session.say(
    `${formatCount(hidden)} more ${
      isCut ? "are not listed: -v lists them" : "are not listed"
    }`,
  );
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
    id,
    objectKind: kind,
    storeName,
    paths,
    pathCount,
  };
}

function tellSummary(session: Session, report: VerifyReport): void {
  const { recordCount, objectCount, byteCount, damageCount } = report;
  if (report.orphanPackCount > 0) {
    session.note(
      `${formatCounted(report.orphanPackCount, "pack")} of unfinished saves, ${
        formatSize(report.orphanByteCount)
      }: the next save uses what it can`,
    );
  }
  const found = damageCount === 0
    ? "no damage"
    : `${formatCounted(damageCount, "damage")}: ${causesOf(report)}`;
  const read = byteCount > 0 ? `, ${formatSize(byteCount)} read` : "";
  const message = `Verified ${formatCounted(recordCount, "record")}, ${
    formatCounted(objectCount, "object")
  }${read}: ${found}`;
  if (damageCount === 0) return session.note(message);
  for (const line of [message, ...remediesOf(report)]) session.say(line);
}

function verifiedRecord(report: VerifyReport): JsonRecord {
  const { damages: _, orphanPacks: __, ...counts } = report;
  return { type: "verified", ...counts };
}
