import type { RecoveredTree } from "@snap/maintenance/repair";
import { CommandError } from "../command_error.ts";
import { ExitCode } from "../exit_code.ts";
import { COMMAND, PRODUCT } from "../product.ts";
import { lostFields, lostLines } from "../repairing/repair_snapshots.ts";
import type { Session } from "../session.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { renewListing } from "../stores/renew_listing.ts";
import { formatCounted } from "../terminal/units.ts";
import { UsageError } from "../arguments/usage_error.ts";
import { VERSION } from "../version.ts";

/** `snap recover [ID…]` */
export async function run(session: Session): Promise<number> {
  const { args, signal } = session;
  for (const text of args.positionals) checkStart(text);
  const dryRun = args.has("dry-run");
  const options = { isWriting: !dryRun, isUncached: true };
  return await withSnapshots(session, options, async (snapshots, opened) => {
    const { recoverTrees } = await import("@snap/maintenance/repair");
    const { trees, packCount } = await recoverTrees(snapshots, {
      ...(args.positionals.length > 0 && { trees: args.positionals }),
      unfinished: args.has("unfinished"),
      dryRun,
      program: `${PRODUCT} ${VERSION}`,
      signal,
      onProgress: ({ packCount, packTotal }) =>
        session.progress({
          unit: "pack",
          doneCount: packCount,
          totalCount: packTotal,
          doneByteCount: 0,
          totalByteCount: 0,
          isTotalKnown: true,
        }),
    });
    session.clearProgress();
    if (!dryRun) await renewListing(session, opened);
    for (const tree of trees) {
      await session.result(textOf(session, tree), {
        type: "recovered",
        id: tree.root,
        newId: tree.tree,
        record: tree.record?.record,
        time: tree.time,
        entryCount: tree.entryCount,
        ...lostFields(tree.lost),
      });
    }
    await session.flush();
    if (trees.length > 0) {
      session.note(
        dryRun
          ? `${COMMAND} recover writes records of them, ${COMMAND} recover ID of one`
          : `${COMMAND} log --any lists them, with source recovered`,
      );
      return ExitCode.done;
    }
    if (args.positionals.length > 0) {
      throw new CommandError(
        "Cannot find such a tree without a record",
        `${COMMAND} recover --dry-run lists those that there are`,
      );
    }
    session.note(
      `Nothing to recover in ${
        formatCounted(packCount, "pack")
      }: records name all trees`,
    );
    return ExitCode.done;
  });
}

function checkStart(text: string): void {
  if (/^[0-9a-f]{4,64}$/.test(text)) return;
  throw new UsageError(
    `Cannot recover ${
      JSON.stringify(text)
    }: it is no id, nor the first 4 to 64 digits of one`,
  );
}

function textOf(session: Session, found: RecoveredTree): string {
  const { root, tree, time, entryCount, lost } = found;
  const count = formatCounted(entryCount, "entry", "entries");
  const lines = [`${root}  ${time}  ${count}`, ...lostLines(session, lost)];
  if (tree !== root) lines.push(`  what is left is ${tree}`);
  return lines.join("\n");
}
