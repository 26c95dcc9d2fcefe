import type {
  ForgetReport,
  RetentionGroup,
  RetentionRules,
} from "@snap/maintenance/forget";
import type { NamedRecord, RecordName } from "@snap/snapshot/records";
import type { Snapshots } from "@snap/snapshot";
import type { PruneStore } from "@snap/store";
import { retentionRules } from "../arguments/retention_rules.ts";
import { UsageError } from "../arguments/usage_error.ts";
import { CommandError } from "../command_error.ts";
import { ExitCode } from "../exit_code.ts";
import { COMMAND } from "../product.ts";
import type { Session } from "../session.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { findRecordNames } from "../snapshots/find_record_names.ts";
import { run as prune } from "./prune.ts";
import type { OpenedStore } from "../stores/opened_store.ts";
import { renewListing } from "../stores/renew_listing.ts";
import { type Column, formatTable } from "../terminal/table.ts";
import {
  formatCount,
  formatCounted,
  formatLocalTime,
} from "../terminal/units.ts";

const COLUMNS: readonly Column[] = [
  { title: "id" },
  { title: "record" },
  { title: "time" },
  { title: "host", keeps: "start" },
  { title: "source", keeps: "end" },
  { title: "fate" },
  { title: "kept by" },
];
const DIGITS = 8;

/** `snap forget ID…`, `snap forget --keep-… N`, `snap forget --policy` */
export async function run(session: Session): Promise<number> {
  const { args } = session;
  const names = args.positionals;
  const rules = await retentionRules(session);
  if (names.length > 0 && rules !== undefined) {
    throw new UsageError("Cannot use rules and ID at once");
  }
  if (names.length === 0 && args.has("tagged")) {
    throw new UsageError(
      "Cannot use --tagged without ID: rules keep what a tag names",
    );
  }
  if (args.has("wait") && !args.has("prune")) {
    throw new UsageError("Cannot use --wait without --prune");
  }
  const options = { isLight: true, isWriting: !args.has("dry-run") };
  const forgotten = await withSnapshots(
    session,
    options,
    (snapshots, opened) => forgetIn(session, snapshots, opened, rules),
  );
  return args.has("prune") ? await prune(session, forgotten) : ExitCode.done;
}

/** Forgets; gives the ids of the records. */
async function forgetIn(
  session: Session,
  snapshots: Snapshots<PruneStore>,
  opened: OpenedStore,
  rules: RetentionRules | undefined,
): Promise<readonly string[]> {
  const { args, signal } = session;
  const names = args.positionals;

  const { forget } = await import("@snap/maintenance/forget");
  const groups = rules && await plan(session, snapshots, rules);
  const records = groups === undefined
    ? await findRecordNames(session, snapshots, names)
    : groups.flatMap((group) => group.records)
      .filter(({ reasons }) => reasons.length === 0)
      .map(({ record }) => record);
  if (groups !== undefined) await tellGroups(session, groups);
  const isTold = args.has("tagged") ? "forget" : "refuse";
  const report = await forget(snapshots, records, {
    whenNamed: groups === undefined ? isTold : "keep",
    dryRun: args.has("dry-run"),
    signal,
  }).catch(explained);
  if (!args.has("dry-run")) await renewListing(session, opened);
  await tellReport(session, report, keptCountOf(groups));
  return report.forgotten.map(({ record }) => record);
}

async function plan(
  session: Session,
  snapshots: Snapshots<PruneStore>,
  rules: RetentionRules,
): Promise<RetentionGroup[]> {
  const { args, signal } = session;
  const host = args.text("host") ??
    (args.has("any") ? undefined : session.context.hostname?.());
  let hiddenCount = 0;
  const isOf = (record: NamedRecord): boolean => {
    const isHost = host === undefined || record.host === host;
    if (!isHost) hiddenCount++;
    return isHost;
  };
  const { planRetention } = await import("@snap/maintenance/forget");
  const groups = await planRetention(snapshots, rules, {
    signal,
    select: isOf,
    mayKeepNone: args.has("unsafe-keep-none"),
    onDamage: ({ record }, error) =>
      session.warn(
        `Cannot read record ${record}, and keep it: ${
          error instanceof Error ? error.message : error
        }`,
      ),
  }).catch(explained);
  if (hiddenCount > 0 && args.text("host") === undefined) {
    session.note(
      `Left out ${formatCount(hiddenCount)} of other hosts: --any takes them`,
    );
  }
  return groups;
}

/** Adds what can be done about an error that means that nothing was forgotten. */
function explained(error: unknown): never {
  const { name, message } = error as Error;
  if (name === "NamedByTagError") {
    throw new CommandError(
      message,
      "--tagged forgets it all the same, and the tag names what it named before",
    );
  }
  if (name === "NothingKeptError") {
    throw new CommandError(message, "--unsafe-keep-none does it all the same");
  }
  throw error;
}

function keptCountOf(groups: readonly RetentionGroup[] | undefined): number {
  return (groups ?? []).flatMap(({ records }) => records)
    .filter(({ reasons }) => reasons.length > 0).length;
}

async function tellGroups(
  session: Session,
  groups: readonly RetentionGroup[],
): Promise<void> {
  const { isForPeople, width } = session;
  const rows: string[][] = [];
  for (const { record, reasons } of groups.flatMap(({ records }) => records)) {
    const { tree, record: id, time, host, source } = record;
    const isKept = reasons.length > 0;
    if (session.isJson) {
      const line = { id: tree, record: id, time, host, source };
      await session.result("", { type: "retained", ...line, isKept, reasons });
    }
    rows.push([
      isForPeople ? tree.slice(0, DIGITS) : tree,
      isForPeople ? id.slice(0, DIGITS) : id,
      isForPeople ? formatLocalTime(time) : time,
      host,
      source,
      isKept ? "kept" : "goes",
      reasons.join(", "),
    ]);
  }
  if (session.isJson || rows.length === 0) return;
  for (const line of formatTable(COLUMNS, rows, { isForPeople, width })) {
    await session.raw(`${line}\n`);
  }
  const laterCount = groups.flatMap(({ records }) => records)
    .filter(({ reasons }) => reasons.includes("later than now")).length;
  if (laterCount > 0) {
    session.warn(
      `Kept ${formatCounted(laterCount, "record")} with a time later than now`,
    );
  }
}

async function tellReport(
  session: Session,
  { forgotten, kept, finished, tags }: ForgetReport,
  plannedCount: number,
): Promise<void> {
  const isDryRun = session.args.has("dry-run");
  for (const { record } of kept) {
    session.warn(`Kept record ${record}: a tag was set to it meanwhile`);
  }
  for (const { record } of finished) {
    session.say(
      `${
        isDryRun ? "Would remove" : "Removed"
      } record ${record}: it was forgotten before, and the removal interrupted`,
    );
  }
  for (const { tag, name, isMoved } of tags) {
    const why = isMoved ? ", as it was set to what was being forgotten" : "";
    const now = name === undefined
      ? isDryRun ? "would be deleted" : "is deleted"
      : `${isDryRun ? "would name" : "names"} ${nameOf(name)} again`;
    session.say(`Tag ${tag} ${now}${why}`);
  }
  const keptCount = plannedCount + kept.length;
  const left = plannedCount === 0
    ? ""
    : `, ${isDryRun ? "keep" : "kept"} ${formatCount(keptCount)}`;
  const summary = forgotten.length === 0
    ? `Nothing to forget${left}`
    : `${isDryRun ? "Would forget" : "Forgot"} ${
      formatCounted(forgotten.length, "record")
    }${left}`;
  await session.result(summary, {
    type: "forgot",
    isDryRun,
    records: forgotten.map(({ record }) => record),
    finished: finished.map(({ record }) => record),
    keptCount,
    tags: tags.map(({ tag, name }) => ({
      tag,
      ...name && { id: name.tree, record: name.record },
    })),
  });
  if (forgotten.length > 0 && !isDryRun && !session.args.has("prune")) {
    session.note(`${COMMAND} prune frees what only they needed`);
  }
}

function nameOf({ tree, record }: RecordName): string {
  return `${tree.slice(0, DIGITS)}@${record.slice(0, DIGITS)}`;
}
