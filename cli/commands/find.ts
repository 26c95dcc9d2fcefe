import type { FindOptions } from "@snap/snapshot/query";
import type { EntryKind } from "@snap/manifest/extras";
import { ExitCode } from "../exit_code.ts";
import { listEntries } from "../terminal/list_entries.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { openTarget } from "../snapshots/open_target.ts";
import type { Session } from "../session.ts";
import { UsageError } from "../arguments/usage_error.ts";

const KIND_LETTERS = "xdlpcb";

/** `snap find PATTERN [ID[:PATH]]` */
export async function run(session: Session): Promise<number> {
  const [pattern, where = "latest"] = session.args.positionals;
  if (session.args.has("history")) return await history(session, pattern);
  const options: FindOptions = {
    signal: session.signal,
    ...await patternOf(pattern),
    ...await kindsOf(session.args.text("type")),
  };
  return await withSnapshots(session, { isLight: true }, async (snapshots) => {
    const { find } = await import("@snap/snapshot/query");
    const { view, entry } = await openTarget(session, snapshots, where);
    if (entry.pageId === undefined) {
      throw new UsageError(
        `Cannot find in ${JSON.stringify(where)}: it is no directory`,
      );
    }
    const found = find(view, { ...options, directory: entry });
    await listEntries(session, found.batches(), { nameOf: (one) => one.path });
    return ExitCode.done;
  });
}

async function history(session: Session, path: string): Promise<number> {
  const { args } = session;
  const other = ["type", "long", "classify", "null"].find((one) =>
    args.has(one)
  );
  if (args.positionals.length > 1 || other !== undefined) {
    throw new UsageError(
      `Cannot use --history with ${
        other === undefined ? "ID" : `--${other}`
      }: it takes one path, and looks into all snapshots`,
    );
  }
  const { tellHistory } = await import("../snapshots/tell_history.ts");
  return await withSnapshots(
    session,
    { isLight: true },
    (snapshots) => tellHistory(session, snapshots, path),
  );
}

async function patternOf(pattern: string): Promise<FindOptions> {
  const { patternOptions } = await import("@snap/snapshot/query");
  try {
    return patternOptions(pattern);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function kindsOf(letter: string | undefined): Promise<FindOptions> {
  if (letter === undefined) return {};
  const { EntryKind: Kind } = await import("@snap/manifest/extras");
  if (letter === "f") return { kinds: [Kind.file, Kind.executable] };
  const at = letter.length === 1 ? KIND_LETTERS.indexOf(letter) : -1;
  if (at < 0) {
    throw new UsageError(
      `Cannot use --type ${
        JSON.stringify(letter)
      }: it takes one of f x d l p c b`,
    );
  }
  return { kinds: [(Kind.executable + at) as EntryKind] };
}
