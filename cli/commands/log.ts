import type { NamedRecord, RecordFile } from "@snap/snapshot/records";
import type { Snapshots } from "@snap/snapshot";
import { CommandError } from "../command_error.ts";
import { ExitCode } from "../exit_code.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { checkTag } from "../arguments/check_tag.ts";
import { logFilter } from "../arguments/log_filter.ts";
import type { Session } from "../session.ts";
import { type Column, formatTable } from "../terminal/table.ts";
import { formatCount, formatLocalTime, formatSize } from "../terminal/units.ts";

const COLUMNS: readonly Column[] = [
  { title: "id" },
  { title: "record" },
  { title: "time" },
  { title: "host", keeps: "start" },
  { title: "source", keeps: "end" },
  { title: "files", isNumber: true },
  { title: "size", isNumber: true },
  { title: "tags", keeps: "start" },
  { title: "message", keeps: "start" },
  { title: "not read", isNumber: true },
];
/** Digits of an id that people are shown, where there is room, and where there is not. */
const DIGITS = 12;
const DIGITS_FEW = 8;
/** From so many columns of the terminal on there is room. */
const WIDE = 120;

/** A line of the log. */
interface Row {
  readonly record: NamedRecord;
  readonly tags: readonly string[];
}

/** `snap log [PATH]` */
export async function run(session: Session): Promise<number> {
  const tag = session.args.text("tag");
  if (tag !== undefined) await checkTag(tag);
  const select = await logFilter(session);
  return await withSnapshots(session, { isLight: true }, async (snapshots) => {
    const rows = select(
      tag === undefined
        ? await allRows(session, snapshots)
        : await rowsOfTag(session, snapshots, tag),
    );
    const { isForPeople } = session;
    if (session.isJson) {
      const { recordFields } = await import("@snap/snapshot/records");
      for (const { record, tags } of rows) {
        const fields = recordFields(record);
        await session.result("", { type: "snapshot", ...fields, tags });
      }
    } else if (rows.length > 0) {
      const { width } = session;
      const texts = rows.map((row) =>
        isForPeople ? textForPeople(row, rows, width) : textOf(row)
      );
      const options = { isForPeople, width };
      for (const line of formatTable(COLUMNS, texts, options)) {
        await session.raw(`${line}\n`);
      }
    }
    return ExitCode.done;
  });
}

async function allRows(session: Session, snapshots: Snapshots): Promise<Row[]> {
  const { signal } = session;
  const { listTags } = await import("@snap/snapshot/records");
  const tags = new Map<string, string[]>();
  for (const { tag, name, damage } of await listTags(snapshots, { signal })) {
    if (damage !== undefined) session.warn(`${damage.message}: tag ${tag}`);
    if (name === undefined) continue;
    tags.set(name.record, [...tags.get(name.record) ?? [], tag]);
  }
  const records = await snapshots.records({
    signal,
    onDamage: (name, error) =>
      session.warn(
        `Cannot list record ${name.record}: ${
          error instanceof Error ? error.message : error
        }`,
      ),
  });
  const { args } = session;
  const host = args.text("host") ??
    (args.has("any") ? undefined : session.context.hostname?.());
  const shown = records.filter((one) =>
    host === undefined || one.host === host
  );
  const hidden = records.length - shown.length;
  if (hidden > 0) {
    session.note(
      `Left out ${formatCount(hidden)} of other hosts: --any lists them`,
    );
  }
  return shown.map((record) => ({
    record,
    tags: tags.get(record.record) ?? [],
  }));
}

async function rowsOfTag(
  session: Session,
  snapshots: Snapshots,
  tag: string,
): Promise<Row[]> {
  const { signal } = session;
  const { findRecord, listForgotten, listRecordNames, tagLog } = await import(
    "@snap/snapshot/records"
  );
  const { store, hasher } = snapshots;
  const files = new Map<string, RecordFile>();
  for (const file of await listRecordNames(store, { signal })) {
    files.set(file.record, file);
  }
  const forgotten = await listForgotten(store, { signal });
  const rows: Row[] = [];
  let back = 0, forgottenCount = 0;
  for await (const batch of tagLog(snapshots, tag, { signal })) {
    for (const { name, damage, number } of batch) {
      const label = back === 0 ? tag : `${tag}~${back}`;
      back++;
      if (name === undefined && damage === undefined) continue;
      if (name && !files.has(name.record) && forgotten.has(name.record)) {
        forgottenCount++;
        continue;
      }
      try {
        if (name === undefined) throw damage;
        const file = files.get(name.record) ?? name;
        const record = await findRecord(store, file, { hasher, signal });
        rows.push({ record, tags: [label] });
      } catch (error) {
        signal.throwIfAborted();
        const reason = error instanceof Error ? error.message : error;
        session.warn(`Cannot list entry ${number} of tag ${tag}: ${reason}`);
      }
    }
  }
  if (forgottenCount > 0) {
    session.note(`Left out ${formatCount(forgottenCount)} that are forgotten`);
  }
  if (back > 0) return rows;
  throw new CommandError(
    `Cannot find tag ${tag}: the store has none of this name`,
  );
}

function textOf({ record, tags }: Row): string[] {
  const { totals, message = "", unreadable } = record;
  return [
    record.tree,
    record.record,
    record.time,
    record.host,
    record.source,
    String(totals.fileCount),
    String(totals.byteCount),
    tags.join(","),
    message,
    String(unreadable.count),
  ];
}

/** Empty where nothing is to be said, so that the column is left out where that is so of all rows. */
function textForPeople(
  { record, tags }: Row,
  rows: readonly Row[],
  width: number,
): string[] {
  const { totals, message = "", unreadable, host } = record;
  const digits = width < WIDE ? DIGITS_FEW : DIGITS;
  const isOneHost = rows.every((one) => one.record.host === host);
  return [
    record.tree.slice(0, digits),
    record.record.slice(0, digits),
    localTimeOf(record),
    isOneHost ? "" : host,
    record.source,
    formatCount(totals.fileCount),
    formatSize(totals.byteCount),
    tags.join(","),
    message,
    unreadable.count === 0 ? "" : formatCount(unreadable.count),
  ];
}

/** Time of a record, marked where a clock was ahead: such a record is never `latest`. */
function localTimeOf({ time }: NamedRecord): string {
  const isLater = time > new Date().toISOString();
  return formatLocalTime(time) + (isLater ? " (later than now)" : "");
}
