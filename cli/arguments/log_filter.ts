import type { NamedRecord } from "@snap/snapshot/records";
import { resolvePath } from "./resolve_path.ts";
import type { Session } from "../session.ts";
import { parseTime } from "../terminal/units.ts";
import { UsageError } from "./usage_error.ts";

/** The most records that can be asked for. */
const COUNT_MAX = 2 ** 31;

/**
 * Reads which records `log` is to list: of a path, a host, since a time, so many.
 *
 * @throws {UsageError} If an option has no such value.
 */
export async function logFilter(
  session: Session,
): Promise<<T extends { readonly record: NamedRecord }>(rows: T[]) => T[]> {
  const { args } = session;
  const host = args.text("host");
  if (host !== undefined && args.has("any")) {
    throw new UsageError("Cannot use --host and --any at once");
  }
  const count = args.number("number", COUNT_MAX) ?? COUNT_MAX;
  const since = sinceOf(session);
  const [path] = args.positionals;
  const holds = path === undefined ? () => true : await holderOf(session, path);
  return (rows) =>
    rows.filter(({ record }) =>
      holds(record.source) && (host === undefined || record.host === host) &&
      (since === undefined || record.time.slice(0, since.length) >= since)
    ).slice(0, count);
}

/** The first digits of the times of records from then on. */
function sinceOf({ args }: Session): string | undefined {
  const text = args.text("since");
  if (text === undefined) return undefined;
  const ms = parseTime(text, Date.now());
  if (ms !== undefined) return new Date(ms).toISOString().slice(0, -1);
  throw new UsageError(
    `Cannot use --since ${
      JSON.stringify(text)
    }: it takes a time such as 2026-11-30, "2026-11-30 18:05" or 3d`,
  );
}

/** Says of a source whether it is the path, or holds it. */
async function holderOf(
  session: Session,
  given: string,
): Promise<(source: string) => boolean> {
  const { pathToText } = await import("@snap/manifest/path");
  const bytes = new TextEncoder().encode(await resolvePath(session, given));
  const path = pathToText(bytes);
  return (source) =>
    path === source || path.startsWith(source === "/" ? "/" : `${source}/`);
}
