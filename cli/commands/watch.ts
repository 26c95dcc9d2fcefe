import { checkTag } from "../arguments/check_tag.ts";
import { resolvePath } from "../arguments/resolve_path.ts";
import { retentionRules } from "../arguments/retention_rules.ts";
import { UsageError } from "../arguments/usage_error.ts";
import type { Session } from "../session.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { parseWait } from "../terminal/units.ts";
import { WatchRun } from "../watching/watch_run.ts";
import { checkDirectory, saveOptions } from "./save.ts";

/** `snap watch DIR` */
export async function run(session: Session): Promise<number> {
  const { args } = session;
  const tag = args.text("tag");
  if (tag !== undefined) await checkTag(tag);
  const rules = await retentionRules(session);
  const times = {
    quietMs: timeOf(session, "quiet-for", "2s"),
    waitMaxMs: timeOf(session, "max-wait", "1m"),
  };
  const path = await resolvePath(session, args.positionals[0]);
  const options = await saveOptions(session);
  await checkDirectory(path);
  return await withSnapshots(session, {
    whenAbsent: "create",
    isTold: true,
    isWriting: true,
  }, async (snapshots, opened) => {
    const parts = { session, snapshots, opened, path, options, rules };
    return await new WatchRun({ ...parts, ...times }).run();
  });
}

function timeOf(session: Session, name: string, standard: string): number {
  const text = session.args.text(name) ?? standard;
  const ms = parseWait(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new UsageError(
    `Cannot use --${name} ${JSON.stringify(text)}: it is no time`,
    "2s and 5m are times",
  );
}
