import type { View, ViewEntry } from "@snap/snapshot/view";
import { listEntries } from "../terminal/list_entries.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { openTarget } from "../snapshots/open_target.ts";
import type { Session } from "../session.ts";
import { ExitCode } from "../exit_code.ts";

/** `snap ls ID[:PATH]`, and `snap ls --mounts` */
export async function run(session: Session): Promise<number> {
  const { args } = session;
  if (args.has("mounts")) {
    const { listMounts } = await import("../mounts/list_mounts.ts");
    await listMounts(session);
    return ExitCode.done;
  }
  return await withSnapshots(session, { isLight: true }, async (snapshots) => {
    const target = await openTarget(session, snapshots, args.positionals[0]);
    const { view, entry } = target;
    const isRecursive = args.has("recursive");
    // Paths of what is below begin behind the path of the directory and its slash.
    const start = entry.path.length === 0 ? 0 : entry.path.length + 1;
    await listEntries(session, entriesOf(session, view, entry), {
      nameOf: (one) =>
        isRecursive && one !== entry ? one.path.subarray(start) : one.name,
    });
    return ExitCode.done;
  });
}

async function* entriesOf(
  { args, signal }: Session,
  view: View,
  entry: ViewEntry,
): AsyncGenerator<readonly ViewEntry[]> {
  if (entry.pageId === undefined) yield [entry];
  else if (args.has("recursive")) yield* view.walk(entry, { signal }).batches();
  else yield* view.children(entry, { signal }).batches();
}
