import type { NamedRecord } from "@snap/snapshot/records";
import type { HistoryStep } from "@snap/snapshot/query";
import type { Snapshots } from "@snap/snapshot";
import { ExitCode } from "../exit_code.ts";
import { CommandError } from "../command_error.ts";
import type { Session } from "../session.ts";
import { jsonPath } from "../terminal/json_line.ts";
import { formatTable } from "../terminal/table.ts";
import { formatCount, formatLocalTime, formatSize } from "../terminal/units.ts";

const MARKS = { added: "+", modified: "~", removed: "-" };
const COLUMNS = [
  { title: "" },
  { title: "time" },
  { title: "id" },
  { title: "record" },
  { title: "size", isNumber: true },
  { title: "host", keeps: "start" },
  { title: "source", keeps: "end" },
] as const;
const DIGITS = 12;

/** Tells when a path came, changed and went, in the snapshots of this host or of all. */
export async function tellHistory(
  session: Session,
  snapshots: Snapshots,
  text: string,
): Promise<number> {
  const { signal, args, isForPeople } = session;
  const all = await snapshots.records({
    signal,
    onDamage: ({ record }, error) =>
      session.warn(`Cannot use record ${record}, and pass it over: ${error}`),
  });
  const host = args.has("any") ? undefined : session.context.hostname?.();
  const records = all.filter((one) => host === undefined || one.host === host);
  if (records.length < all.length) {
    const count = formatCount(all.length - records.length);
    session.note(`Left out ${count} of other hosts: --any takes them`);
  }
  const steps = await historyOf(session, snapshots, text, records);
  const { rowFields } = await import("@snap/snapshot/view");
  const rows: string[][] = [];
  for (const { change, record, path, entry } of steps) {
    const { tree, record: id, time, host, source } = record;
    if (session.isJson) {
      await session.result("", {
        type: "history",
        change,
        ...jsonPath("path", path),
        ...{ id: tree, record: id, time, host, source },
        entry: entry && rowFields(entry),
      });
    }
    const size = entry?.size ?? 0;
    rows.push([
      MARKS[change],
      isForPeople ? formatLocalTime(time) : time,
      isForPeople ? tree.slice(0, DIGITS) : tree,
      isForPeople ? id.slice(0, DIGITS) : id,
      entry === undefined ? "" : isForPeople ? formatSize(size) : String(size),
      host,
      source,
    ]);
  }
  if (session.isJson) return ExitCode.done;
  const { width } = session;
  for (const line of formatTable(COLUMNS, rows, { isForPeople, width })) {
    await session.raw(`${line}\n`);
  }
  return ExitCode.done;
}

/** The steps of what is written so, or else of what `ls` would show so. */
async function historyOf(
  { signal }: Session,
  snapshots: Snapshots,
  text: string,
  records: readonly NamedRecord[],
): Promise<(HistoryStep & { readonly path: Uint8Array })[]> {
  const { pathHistory } = await import("@snap/snapshot/query");
  const { parsePath } = await import("@snap/manifest/path");
  const paths: Uint8Array[] = [new TextEncoder().encode(text)];
  try {
    if (text.includes("%")) paths.push(parsePath(text));
  } catch {
    // A name may have a % in it.
  }
  for (const path of paths) {
    const steps = await Array.fromAsync(
      pathHistory(snapshots, path, records, { signal }),
      (step) => ({ ...step, path }),
    );
    if (steps.length > 0) return steps;
  }
  throw new CommandError(
    `Cannot find ${JSON.stringify(text)} in ${
      formatCount(records.length)
    } snapshots: none has such an entry`,
    "a path is written as from the root of the snapshot, such as src/mod.ts",
  );
}
