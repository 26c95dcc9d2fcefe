import type { MountLog, MountStatistics } from "@snap/fuse";
import { jsonLine } from "../terminal/json_line.ts";
import type { Session } from "../session.ts";
import { formatCount, formatSize } from "../terminal/units.ts";

/** Says what happened to a mount; in the background with the time. */
export function tellLog(session: Session, { level, message }: MountLog): void {
  const isReported = session.args.has("report");
  const time = isReported ? new Date().toISOString() : undefined;
  const text = isReported && !session.isJson ? `${time} ${message}` : message;
  if (level === "info") session.detail(text);
  else if (level === "warning") session.warn(text, { time });
  else session.error(text, { time });
}

/** Writes what was asked of a mount to stderr, as it was asked for. */
export async function tellStatistics(
  session: Session,
  statistics: MountStatistics,
): Promise<void> {
  const text = session.isJson
    ? jsonLine({ type: "mountStatistics", ...statistics })
    : textOf(statistics);
  await session.context.stderr.write(new TextEncoder().encode(text))
    .catch(() => {}); // Who does not listen need not be told.
}

function textOf(statistics: MountStatistics): string {
  const { requests, byteCount, ...counts } = statistics;
  const rows: [string, string][] = [
    ["bytes read", formatSize(byteCount)],
    ["had to wait", formatCount(counts.parked)],
    ["waited too long", formatCount(counts.expired)],
    ["interrupted", formatCount(counts.interrupted)],
    ["input/output errors", formatCount(counts.faults)],
    ...Object.entries(requests).map((
      [name, count],
    ): [string, string] => [`requests ${name}`, formatCount(count)]),
  ];
  return rows.map(([name, text]) => `${name.padEnd(24)}${text}\n`).join("");
}
