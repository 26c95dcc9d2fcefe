import type { RepairedPack } from "@snap/maintenance/repair";
import { listPacks } from "@snap/pack/index";
import type { Snapshots } from "@snap/snapshot";
import { CommandError } from "../command_error.ts";
import { ExitCode } from "../exit_code.ts";
import { COMMAND } from "../product.ts";
import type { Session } from "../session.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { renewListing } from "../stores/renew_listing.ts";
import { formatCounted, formatSize } from "../terminal/units.ts";
import { verifyProgressOf } from "../terminal/verify_progress.ts";

/** Runs `snap repair packs`. */
export async function repairPacksOf(
  session: Session,
  names: readonly string[],
): Promise<number> {
  const { args, signal } = session;
  const dryRun = args.has("dry-run");
  const options = { isQuiet: true, isWriting: !dryRun, isUncached: true };
  return await withSnapshots(session, options, async (snapshots, opened) => {
    const { repairPacks } = await import("@snap/maintenance/repair");
    const packs = names.length === 0
      ? undefined
      : await findPacks(session, snapshots, names);
    const report = await repairPacks(snapshots, {
      ...(packs && { packs }),
      dryRun,
      signal,
      onProgress: (progress) => session.progress(verifyProgressOf(progress)),
    });
    session.clearProgress();
    if (!dryRun) await renewListing(session, opened);
    for (const pack of report.packs) {
      await session.result(textOf(pack), { type: "repairedPack", ...pack });
    }
    for (const name of report.soundPacks) {
      session.note(`${name} is sound, and was left alone`);
    }
    await session.flush();
    if (report.packs.length === 0) {
      session.note("Nothing to repair: no pack is damaged");
      return ExitCode.done;
    }
    if (dryRun) session.note("Nothing was written, as --dry-run says");
    else if (report.storedByteCount > 0) {
      session.note(`Added ${formatSize(report.storedByteCount)} of new packs`);
    }
    const isLost = report.packs.some(({ lostCount, isKnown }) =>
      lostCount > 0 || !isKnown
    );
    if (!isLost) return ExitCode.done;
    session.say(
      `${COMMAND} save stores again what its folder still has; then ${COMMAND} verify names what is lost, and ${COMMAND} repair snapshots makes snapshots of what is left`,
    );
    return ExitCode.damaged;
  });
}

function textOf(pack: RepairedPack): string {
  const { name, copiedCount, heldCount, lostCount, isKnown, reason } = pack;
  if (!isKnown) {
    return `${name}: nothing tells what it holds\n  ${reason}`;
  }
  const lost = lostCount === 0
    ? "nothing lost"
    : `${formatCounted(lostCount, "object")} lost`;
  return `${name}: ${
    formatCounted(copiedCount, "object")
  } copied, ${heldCount} held elsewhere, ${lost}\n  ${reason}`;
}

/** Finds packs by their names, or by how their ids begin. */
async function findPacks(
  { signal }: Session,
  { store }: Snapshots,
  names: readonly string[],
): Promise<string[]> {
  const packs = (await listPacks(store, { signal })).packs();
  return names.map((text) => {
    const start = text.replace(/^packs\/[0-9a-f]{2}\//, "").toLowerCase();
    const found = packs.filter(({ name }) =>
      name.slice("packs/00/".length).startsWith(start)
    );
    if (found.length === 1) return found[0].name;
    throw new CommandError(
      found.length === 0
        ? `Cannot find pack ${JSON.stringify(text)} in the store`
        : `Cannot tell which pack ${
          JSON.stringify(text)
        } is: ${found.length} begin like it`,
      `${COMMAND} verify --data names packs that are damaged`,
    );
  });
}
