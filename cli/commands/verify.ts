import type { Snapshots } from "@snap/snapshot";
import type { NamedRecord } from "@snap/snapshot/records";
import type { Damage, packsOfPart, VerifyReport } from "@snap/snapshot/verify";
import { UsageError } from "../arguments/usage_error.ts";
import { CommandError } from "../command_error.ts";
import { ExitCode } from "../exit_code.ts";
import { COMMAND } from "../product.ts";
import { jsonPath, type JsonRecord } from "../terminal/json_line.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { isDirectory, isPath } from "../snapshots/is_path.ts";
import { resolveRecord } from "../snapshots/resolve_record.ts";
import type { Session } from "../session.ts";
import { formatCount, formatCounted, formatSize } from "../terminal/units.ts";
import { causesOf, remediesOf } from "../terminal/verify_causes.ts";
import { verifyProgressOf } from "../terminal/verify_progress.ts";

/** Damages that are listed where there are more, unless all are asked for. */
const LISTED_MAX = 10;

/** `snap verify [ID]`, `snap verify DIR [ID]` */
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
  const part = await partOf(session);
  return await withSnapshots(
    session,
    { isUncached: true, isLimited: true },
    async (snapshots) => {
      const { verify } = await import("@snap/snapshot/verify");
      const chosen = await chooseRecord(session, snapshots);
      const report = await verify(snapshots, {
        ...(chosen && { records: [chosen.record] }),
        data: args.has("data") || part !== undefined,
        ...(part && { packs: part }),
        signal,
        onProgress: (progress) => session.progress(verifyProgressOf(progress)),
      });
      session.clearProgress();
      await tellDamages(session, report);
      const compared = chosen?.folder === undefined
        ? undefined
        : await compareFolder(session, snapshots, chosen.folder, chosen.record);
      if (session.isJson) {
        const isSame = compared?.isSame;
        await session.result("", { ...verifiedRecord(report), isSame });
      } else tellSummary(session, report);
      if (report.damageCount > 0) return ExitCode.damaged;
      return compared?.exitCode ?? ExitCode.done;
    },
  );
}

/** The packs of the part that `--part` asks for. */
async function partOf(
  { args }: Session,
): Promise<ReturnType<typeof packsOfPart> | undefined> {
  const text = args.text("part");
  if (text === undefined) return undefined;
  if (args.positionals.length > 0) {
    throw new UsageError(
      "Cannot use --part with an argument: the parts are those of the whole store",
    );
  }
  const [, number, count] = /^(\d{1,7})\/(\d{1,7})$/.exec(text) ?? [];
  try {
    const { packsOfPart } = await import("@snap/snapshot/verify");
    return packsOfPart({ number: Number(number), count: Number(count) });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(
      `Cannot use --part ${
        JSON.stringify(text)
      }: it takes a number and how many there are, such as 3/30`,
    );
  }
}

/** The record that is verified, and the folder that it is compared with. */
async function chooseRecord(
  session: Session,
  snapshots: Snapshots,
): Promise<
  { readonly record: NamedRecord; readonly folder?: string } | undefined
> {
  const [text, id] = session.args.positionals;
  if (text === undefined) return undefined;
  if (id !== undefined) {
    const record = await resolveRecord(session, snapshots, id);
    return { record, folder: text };
  }
  if (isPath(text)) {
    return { record: await newestOf(session, snapshots, text), folder: text };
  }
  try {
    return { record: await resolveRecord(session, snapshots, text) };
  } catch (error) {
    const isUnknown = error instanceof Error &&
      error.name === "SnapshotNotFoundError";
    if (!isUnknown || !await isDirectory(session, text)) throw error;
    return { record: await newestOf(session, snapshots, text), folder: text };
  }
}

/** The newest record of a folder of this host, or with `--any` of any. */
async function newestOf(
  session: Session,
  snapshots: Snapshots,
  text: string,
): Promise<NamedRecord> {
  const { resolvePath } = await import("../arguments/resolve_path.ts");
  const { pathToText } = await import("@snap/manifest/path");
  const { partLater } = await import("@snap/snapshot/records");
  const path = await resolvePath(session, text);
  const source = pathToText(
    typeof path === "string" ? new TextEncoder().encode(path) : path,
  );
  const host = session.args.has("any")
    ? undefined
    : session.context.hostname?.();
  const records = await snapshots.records({ signal: session.signal });
  const [record] = partLater(records, Date.now()).past.filter((one) =>
    one.source === source && (host === undefined || one.host === host)
  );
  if (record !== undefined) return record;
  throw new CommandError(
    `Cannot find a snapshot of ${text}`,
    `${COMMAND} verify ${text} ID compares it with another`,
  );
}

/** Lists what differs in a folder, of which every file is read. */
async function compareFolder(
  session: Session,
  snapshots: Snapshots,
  folder: string,
  record: NamedRecord,
): Promise<{ readonly isSame: boolean; readonly exitCode: number }> {
  const [{ openDirectory }, { compare }] = await Promise.all([
    import("../snapshots/open_side.ts"),
    import("./diff.ts"),
  ]);
  const { tree, page, time } = record;
  const objects = await snapshots.reader();
  const before = {
    objects,
    ids: { tree, page },
    exitCode: ExitCode.done,
    sockets: [],
  };
  const after = await openDirectory(session, folder);
  const isSame = await compare(session, before, after);
  await session.flush();
  const what = `snapshot ${tree.slice(0, 12)} of ${time}`;
  if (isSame) session.note(`${folder} is the same as ${what}`);
  else session.say(`${folder} differs from ${what}`);
  const exitCode = isSame ? ExitCode.done : ExitCode.failed;
  return { isSame, exitCode: Math.max(exitCode, after.exitCode) };
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
  if (report.badPackCount > 0) {
    session.note(
      `${
        formatCounted(report.badPackCount, "pack")
      } known to be damaged: nothing was read of them that lies elsewhere`,
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
