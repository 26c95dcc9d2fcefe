import type { SaveOptions, SaveResult } from "@snap/save";
import type { Snapshots } from "@snap/snapshot";
import type { WriteStore } from "@snap/store";
import { ExitCode } from "../exit_code.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { PRODUCT } from "../product.ts";
import { readExcludes } from "../arguments/read_excludes.ts";
import { fileProgressOf } from "../terminal/progress_line.ts";
import { resolvePath } from "../arguments/resolve_path.ts";
import { summarizeSave } from "../terminal/save_report.ts";
import type { Session } from "../session.ts";
import { renewListing } from "../stores/renew_listing.ts";
import { checkTag } from "../arguments/check_tag.ts";
import {
  tellChanged,
  tellErrors,
  tellFidelity,
  tellUnreal,
} from "../terminal/tell_errors.ts";
import { formatCounted } from "../terminal/units.ts";
import { VERSION } from "../version.ts";
import { workerCount } from "../arguments/worker_count.ts";

/** `snap save DIR` */
export async function run(session: Session): Promise<number> {
  const { args } = session;
  const tag = args.text("tag");
  if (tag !== undefined) await checkTag(tag);
  const isDryRun = args.has("dry-run");
  const path = await resolvePath(session, args.positionals[0]);
  const options = await saveOptions(session);
  await checkDirectory(path);
  const startMs = performance.now();
  return await withSnapshots(session, {
    whenAbsent: isDryRun ? "memory" : "create",
    isTold: true,
    isWriting: !isDryRun,
  }, async (snapshots, opened) => {
    const { save, savedFields } = await import("@snap/save");
    const { openSaveCache } = await import("../snapshots/save_cache.ts");
    const { host } = options;
    const changes = isDryRun
      ? undefined
      : await openSaveCache(session, { snapshots, opened, host });
    const result = await save(snapshots, path, { ...options, changes });
    session.clearProgress();
    await tagSaved(session, snapshots, result);
    await renewListing(session, opened);
    const record = { type: "saved", ...savedFields(result), tag };
    await session.result(result.id, record);
    await session.flush();
    return await tellSave(session, result, performance.now() - startMs);
  });
}

/** Lets a tag name what was saved: that of the command line, if there is one. */
export async function tagSaved(
  session: Session,
  snapshots: Snapshots<WriteStore>,
  { record, saveId }: SaveResult,
  tag: string | undefined = session.args.text("tag"),
): Promise<void> {
  const { signal } = session;
  if (tag === undefined || record === undefined) return;
  const { tagSnapshot } = await import("@snap/snapshot/records");
  await tagSnapshot(snapshots, tag, record, { signal, saveId });
  const { tellShadowed } = await import("../snapshots/resolve_record.ts");
  await tellShadowed(session, snapshots, tag);
}

/** Options of a save, as the command line has them. */
export async function saveOptions(session: Session): Promise<SaveOptions> {
  const { args, context, signal } = session;
  return {
    signal,
    workers: workerCount(session),
    host: args.text("host") ?? context.hostname?.() ?? "",
    user: context.env("USER") ?? context.env("LOGNAME") ?? "",
    message: args.text("message"),
    program: `${PRODUCT} ${VERSION}`,
    ignore: await readExcludes(session),
    oneFileSystem: args.has("one-file-system"),
    readAll: args.has("read-all"),
    trustStat: args.has("trust-stat"),
    dryRun: args.has("dry-run"),
    onProgress: (progress) => session.progress(fileProgressOf(progress)),
    onDamage: (name, error) =>
      session.warn(
        `Cannot use ${name}, and go on without it: ${
          error instanceof Error ? error.message : error
        }`,
      ),
  };
}

/** Sees that a directory can be read, before a store is made for it. */
export async function checkDirectory(path: string): Promise<void> {
  const { openSource } = await import("@snap/disk/source");
  const source = openSource(path);
  try {
    source.open().close();
  } finally {
    source[Symbol.dispose]();
  }
}

/**
 * Says what a save did, and of what it could not read.
 *
 * @param ms How long it took, in milliseconds.
 * @returns The answer to the shell.
 */
export async function tellSave(
  session: Session,
  result: SaveResult,
  ms: number,
): Promise<number> {
  const { errors, errorCount, changed, changedCount, socketCount } = result;
  if (result.fidelity === "reduced") await tellFidelity(session);
  tellErrors(session, errors, errorCount);
  await tellChanged(session, changed, changedCount);
  if (socketCount > 0) {
    session.note(`Left out ${formatCounted(socketCount, "socket")}`);
  }
  if (result.unreal.length > 0) await tellUnreal(session, result.unreal);
  const summary = summarizeSave(result, ms);
  // Of a dry run nothing else tells that this was all.
  if (result.record === undefined) session.say(summary);
  else session.note(summary);
  return errorCount + changedCount > 0 ? ExitCode.incomplete : ExitCode.done;
}
