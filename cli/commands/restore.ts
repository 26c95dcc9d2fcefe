import type {
  RestoreChange,
  RestoreOptions,
  RestoreResult,
} from "@snap/restore";
import type { NamedRecord } from "@snap/snapshot/records";
import type { Snapshots } from "@snap/snapshot";
import type { DiskError } from "@snap/disk";
import { CommandError } from "../command_error.ts";
import { ExitCode } from "../exit_code.ts";
import { jsonPath } from "../terminal/json_line.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { fileProgressOf } from "../terminal/progress_line.ts";
import { resolvePath } from "../arguments/resolve_path.ts";
import { resolveRecord } from "../snapshots/resolve_record.ts";
import type { Session } from "../session.ts";
import { tellErrors, tellFidelity } from "../terminal/tell_errors.ts";
import {
  formatCount,
  formatCounted,
  formatDuration,
  formatSize,
} from "../terminal/units.ts";
import { comparePaths } from "../terminal/socket_changes.ts";
import { UsageError } from "../arguments/usage_error.ts";
import { workerCount } from "../arguments/worker_count.ts";
import { writeContent } from "../terminal/write_content.ts";

const MARKS: Readonly<Record<RestoreChange["kind"], string>> = {
  added: "+",
  replaced: "~",
  attributes: "a",
  deleted: "-",
};

/** Options that mean nothing where a file goes to stdout. */
const ONLY_ON_DISK = ["existing", "delete", "dry-run", "swap"];
/** Options that write into what is there, or write nothing. */
const NOT_BESIDE = ["existing", "delete", "dry-run"];

/** `snap restore ID[:PATH] TARGET` */
export async function run(session: Session): Promise<number> {
  const [text, directory] = session.args.positionals;
  const changes: RestoreChange[] = [];
  const options = restoreOptions(session, changes);
  if (directory === "-") {
    const wrong = ONLY_ON_DISK.find((name) => session.args.has(name));
    if (wrong === undefined) {
      return await writeContent(session, "restore", text);
    }
    throw new UsageError(
      `Cannot use --${wrong}: - is stdout`,
      "./- is a file or directory of this name",
    );
  }
  const target = await resolvePath(session, directory);
  checkSwap(session);
  const startMs = performance.now();
  return await withSnapshots(session, {}, async (snapshots) => {
    const { parseTarget } = await import("@snap/snapshot/records");
    const { snapshot, path = "" } = parseTarget(text);
    const record = await resolveRecord(session, snapshots, snapshot);
    const how = { target, options };
    const result = session.args.has("swap")
      ? await swapPath(session, { snapshots, record, ...how })
      : await restorePath(snapshots, record, path, how);
    session.clearProgress();
    await writeChanges(session, changes);
    await session.flush();
    const isPinned = !record.tree.startsWith(snapshot.toLowerCase());
    if (!isPinned) await tellPrivileged(session, record, result);
    await tellResult(session, record, result, performance.now() - startMs);
    return result.errors.length > 0 ? ExitCode.incomplete : ExitCode.done;
  });
}

function checkSwap({ args }: Session): void {
  if (!args.has("swap")) {
    if (!args.has("keep-old")) return;
    throw new UsageError("Cannot use --keep-old without --swap");
  }
  const wrong = NOT_BESIDE.find((name) => args.has(name));
  if (wrong === undefined) return;
  throw new UsageError(`Cannot use --swap and --${wrong} at once`);
}

/** Restores a whole snapshot, or a directory of one, in the place of another. */
async function swapPath(
  session: Session,
  { snapshots, record, target, options }: {
    readonly snapshots: Snapshots;
    readonly record: NamedRecord;
    readonly target: string;
    readonly options: RestoreOptions;
  },
): Promise<RestoreResult> {
  const [text] = session.args.positionals;
  const { openTarget } = await import("../snapshots/open_target.ts");
  const { parseTarget } = await import("@snap/snapshot/records");
  const { path = "" } = parseTarget(text);
  const isWhole = /^\/*$/.test(path);
  const found = isWhole
    ? undefined
    : await openTarget(session, snapshots, text);
  if (found !== undefined && found.entry.pageId === undefined) {
    throw new CommandError(
      `Cannot swap ${JSON.stringify(text)}: it is no directory`,
      "restore --existing replaces a file in one step",
    );
  }
  await checkPrograms(session, target);
  const { existing: _, delete: _delete, dryRun: _dry, ...rest } = options;
  const { swap } = await import("@snap/restore");
  try {
    return await swap(snapshots, record, target, {
      ...rest,
      ...found !== undefined && { path: found.entry.path },
      keepOld: session.args.text("keep-old"),
    });
  } catch (error) {
    const { name, errors } = error as { name?: string; errors?: DiskError[] };
    session.clearProgress();
    if (name === "SwapError" && errors) tellErrors(session, errors);
    throw error;
  }
}

/** A program goes on in the old directory: not where that is removed. */
async function checkPrograms(session: Session, target: string): Promise<void> {
  const { programsIn } = await import("../snapshots/programs_in.ts");
  const programs = await programsIn(target);
  if (programs.length === 0) return;
  const who = `process ${programs.slice(0, 5).join(", ")}`;
  const keepOld = session.args.text("keep-old");
  if (keepOld === undefined) {
    throw new CommandError(
      `Cannot swap ${target}: it is the working folder of ${who}`,
      "end that first, or keep the old directory with --keep-old NAME",
    );
  }
  session.warn(`The working folder of ${who} will be ${keepOld}`);
}

function restoreOptions(
  session: Session,
  changes: RestoreChange[],
): RestoreOptions {
  const { args, signal } = session;
  if (args.has("delete") && !args.has("existing")) {
    throw new UsageError(
      "Cannot use --delete without --existing: an empty directory has nothing to remove",
    );
  }
  const isNumeric = args.has("numeric-owner");
  for (const name of ["owner", "numeric-owner"]) {
    if (args.has(name) && args.has("no-owner")) {
      throw new UsageError(`Cannot use --${name} and --no-owner at once`);
    }
  }
  // Left to the library, which knows who may give files away.
  const owner = args.has("owner") || isNumeric
    ? true
    : args.has("no-owner")
    ? false
    : undefined;
  const dryRun = args.has("dry-run");
  return {
    signal,
    workers: workerCount(session),
    existing: args.has("existing"),
    delete: args.has("delete"),
    owner,
    numericOwner: isNumeric,
    xattrs: !args.has("no-xattrs"),
    onProgress: (progress) => session.progress(fileProgressOf(progress)),
    dryRun,
    onChange: dryRun ? (change) => void changes.push(change) : undefined,
  };
}

/** Writes the changes of a dry run in the order of paths; a restore finds them in another. */
async function writeChanges(
  session: Session,
  changes: RestoreChange[],
): Promise<void> {
  const { displayPath } = await import("@snap/manifest/path");
  changes.sort((a, b) => comparePaths(a.path, b.path));
  for (const { kind, path } of changes) {
    const name = path.length === 0 ? "." : displayPath(path);
    await session.result(`${MARKS[kind]} ${name}`, {
      type: "planned",
      change: kind,
      ...jsonPath("path", path),
    });
  }
}

/** A path may be written as `ls` shows it, with `%` and two digits for a byte. */
async function restorePath(
  snapshots: Snapshots,
  record: NamedRecord,
  path: string,
  { target, options }: { target: string; options: RestoreOptions },
): Promise<RestoreResult> {
  const { restore } = await import("@snap/restore");
  const written = new TextEncoder().encode(path);
  try {
    return await restore(snapshots, record, target, {
      ...options,
      path: written,
    });
  } catch (error) {
    const isAbsent = error instanceof Error &&
      error.name === "EntryNotFoundError";
    if (!isAbsent || !/%[0-9A-F]{2}/.test(path)) throw error;
    const { parsePath } = await import("@snap/manifest/path");
    let meant: Uint8Array;
    try {
      meant = parsePath(path);
    } catch {
      throw error;
    }
    return await restore(snapshots, record, target, {
      ...options,
      path: meant,
    });
  }
}

/**
 * Says to root that the id has not chosen what gives rights to others: it covers no modes, and the
 * newest record of a tree is the word of whoever wrote to the store last.
 */
async function tellPrivileged(
  session: Session,
  { tree, record }: NamedRecord,
  { privilegedCount }: RestoreResult,
): Promise<void> {
  if (privilegedCount === 0) return;
  const { diskCalls } = await import("@snap/disk");
  if (diskCalls().geteuid() !== 0) return;
  const verb = session.args.has("dry-run") ? "Would restore" : "Restored";
  session.warn(
    `${verb} ${
      formatCounted(privilegedCount, "entry", "entries")
    } with set-id bits, capabilities or a device, as the newest record says: the id alone does not cover them, ${tree}@${record} does`,
    { code: "UNPINNED" },
  );
}

async function tellResult(
  session: Session,
  record: NamedRecord,
  result: RestoreResult,
  ms: number,
): Promise<void> {
  const isDryRun = session.args.has("dry-run");
  const { errors, ...counts } = result;
  if (session.isJson) {
    await session.result("", {
      type: "restored",
      id: record.tree,
      record: record.record,
      isDryRun,
      ...counts,
      errorCount: errors.length,
    });
  }
  if (result.fidelity === "reduced") await tellFidelity(session);
  if (record.fidelity === "reduced") {
    session.note("This snapshot was saved at reduced fidelity");
  }
  const lackCount = record.unreadable.count;
  if (lackCount > 0) {
    session.say(
      `This snapshot lacks ${formatCounted(lackCount, "entry", "entries")} ${
        record.repairOf === undefined
          ? "that could not be read when it was saved"
          : "of the snapshot that was repaired"
      }`,
    );
  }
  tellErrors(session, errors);
  if (session.isJson) return;
  const summary = summarize(result, isDryRun);
  // Of what was not done nothing else tells that this was all.
  if (isDryRun) session.say(summary);
  else session.note(`${summary}; ${formatDuration(ms)}`);
}

/** One line whose numbers add up: entries are files and others, files are written or stay. */
function summarize(result: RestoreResult, isDryRun: boolean): string {
  const { entryCount, fileCount, writtenFileCount, deletedCount } = result;
  const otherCount = entryCount - fileCount;
  const restCount = fileCount - writtenFileCount;
  const verb = isDryRun ? "Would restore" : "Restored";
  const files = `${formatCounted(fileCount, "file")}, ${
    formatSize(result.byteCount)
  }`;
  const ways = `${formatCount(writtenFileCount)} written, ${
    formatCount(restCount)
  } linked or as they were`;
  const others = formatCounted(otherCount, "other entry", "other entries");
  const deleted = deletedCount > 0
    ? `; ${formatCount(deletedCount)} removed`
    : "";
  return `${verb} ${files} (${ways}) and ${others}${deleted}`;
}
