import { readExcludes } from "../arguments/read_excludes.ts";
import { checkTag } from "../arguments/check_tag.ts";
import { UsageError } from "../arguments/usage_error.ts";
import { ExitCode } from "../exit_code.ts";
import { COMMAND, PRODUCT } from "../product.ts";
import type { Session } from "../session.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { resolveRecord, tellShadowed } from "../snapshots/resolve_record.ts";
import { renewListing } from "../stores/renew_listing.ts";
import { VERSION } from "../version.ts";

/** `snap rewrite ID --exclude PATTERN`, `--include PATTERN` */
export async function run(session: Session): Promise<number> {
  const { args, signal } = session;
  const [text] = args.positionals;
  const rules = ["exclude", "exclude-from", "include"];
  if (!rules.some((one) => args.has(one))) {
    throw new UsageError(
      "Cannot rewrite without --exclude, --exclude-from or --include",
    );
  }
  const tag = args.text("tag");
  if (tag !== undefined) await checkTag(tag);
  const exclude = (await readExcludes(session)).scope();
  const { IgnoreRules } = await import("@snap/disk/ignore");
  const patterns = args.list("include");
  const include = new IgnoreRules({ exclude: patterns }).scope();
  const dryRun = args.has("dry-run");
  const options = { isWriting: !dryRun };
  return await withSnapshots(session, options, async (snapshots, opened) => {
    const { rewriteSnapshot } = await import("@snap/maintenance/rewrite");
    const old = await resolveRecord(session, snapshots, text);
    const { id, record, saveId } = await rewriteSnapshot(snapshots, old, {
      exclude,
      ...patterns.length > 0 && { include },
      dryRun,
      program: `${PRODUCT} ${VERSION}`,
      signal,
    });
    if (id === old.tree) {
      session.say("Nothing is left out: the snapshot stays as it is");
    }
    if (tag !== undefined && !dryRun) {
      const { tagSnapshot } = await import("@snap/snapshot/records");
      await tagSnapshot(snapshots, tag, record ?? old, { signal, saveId });
    }
    if (!dryRun) await renewListing(session, opened);
    await session.result(id, {
      type: "rewritten",
      id,
      record: record?.record,
      old: old.record,
      tag,
      isDryRun: dryRun,
      totals: record?.totals,
    });
    if (record !== undefined) {
      const name = `${old.tree.slice(0, 12)}@${old.record.slice(0, 12)}`;
      session.note(`The old one stays until ${COMMAND} forget ${name}`);
    }
    if (tag !== undefined && !dryRun) {
      await tellShadowed(session, snapshots, tag);
    }
    return ExitCode.done;
  });
}
