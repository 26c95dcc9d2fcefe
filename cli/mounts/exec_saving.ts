import { type Mount, mount, unmount } from "@snap/fuse";
import { mountOverlay, OverlayFolder } from "@snap/fuse/overlay";
import type { PreparedMount } from "@snap/fuse/prepare";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { mountSettings } from "../arguments/mount_settings.ts";
import { ExitCode } from "../exit_code.ts";
import { COMMAND } from "../product.ts";
import type { Session } from "../session.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { tellSave } from "../commands/save.ts";
import { findWhole } from "./mount_writable.ts";
import { tellLog } from "./mount_words.ts";
import { runChild } from "./run_child.ts";
import { type OverlaySave, saveOverlay } from "./save_overlay.ts";
import { findProcessNamespace } from "./user_namespace.ts";
import { countWritten } from "./writable_folder.ts";

/**
 * The first process of a namespace waits for the command, and by its end ends what
 * that has left running. Not the command itself: the first process of a namespace
 * does not hear signals that it has not asked for.
 */
const INIT = ["sh", "-c", '"$@"; exit "$?"', "sh"];

/**
 * Runs a command that may write to a snapshot, in the namespace of this process, and
 * saves what it wrote.
 *
 * @returns What the command answers; 3 if it answers 0 and not all could be saved.
 * @throws {MountError} If it cannot be mounted.
 */
export async function execSaving(
  session: Session,
  prepared: PreparedMount,
): Promise<number> {
  const { args, signal } = session;
  const place = args.text("inside")!;
  let below: Mount | undefined;
  try {
    const how = { isWriting: true };
    return await withSnapshots(session, how, async (snapshots, opened) => {
      const [target] = args.positionals;
      const record = await findWhole(session, snapshots, target);
      const folder = await OverlayFolder.create(place, {
        ...{ id: record.tree, record: record.record },
        ...{ store: opened.location, mountpoint: join(place, "root") },
      });
      let isKept = false;
      try {
        below = await mount(snapshots.store, record, {
          ...mountSettings(session),
          ...{ mountpoint: folder.lower, hasher: snapshots.hasher },
          ...{ prepared, signal },
          onLog: (line) => tellLog(session, line),
        });
        const code = await runWriting(session, folder, below.source);
        if (code !== 0 && !args.has("always")) {
          await tellDropped(session, folder);
          return code;
        }
        isKept = true;
        const tag = args.text("save");
        const saving = { snapshots, opened, folder, tag };
        const answer = await saveWritten(session, saving);
        isKept = answer !== ExitCode.done;
        return code === 0 ? answer : code;
      } finally {
        await below?.abort();
        if (isKept) tellKept(session, folder);
        else await folder.remove();
      }
    });
  } finally {
    if (below === undefined) await prepared.end();
  }
}

/** Runs the command where both are seen together; nothing of it is left when it has ended. */
async function runWriting(
  session: Session,
  folder: OverlayFolder,
  source: string,
): Promise<number> {
  const namespace = await findProcessNamespace();
  session.signal.throwIfAborted();
  const { mountpoint } = folder.notes;
  await mkdir(mountpoint);
  await mountOverlay(folder, mountpoint, source);
  try {
    const [, ...command] = session.args.positionals;
    return await runChild(
      session,
      "unshare",
      [...namespace, "--", ...INIT, ...command],
      // Of unshare, and of the first process in the namespace.
      { cwd: mountpoint, env: { SNAP_MOUNT: mountpoint }, depth: 2 },
    );
  } finally {
    await unmount(mountpoint);
  }
}

async function saveWritten(
  session: Session,
  saving: OverlaySave,
): Promise<number> {
  const startMs = performance.now();
  const result = await saveOverlay(session, saving);
  const code = await tellSave(session, result, performance.now() - startMs);
  session.note(`${saving.tag} names ${result.id}`);
  return code;
}

async function tellDropped(
  session: Session,
  folder: OverlayFolder,
): Promise<void> {
  if (await folder.isEmpty()) return;
  session.say(
    `Dropped what the command wrote, ${await countWritten(
      folder,
    )}, as it failed: --always saves it all the same`,
  );
}

function tellKept(session: Session, { path }: OverlayFolder): void {
  const tag = session.args.text("save");
  session.say(
    `Kept what the command wrote in ${path}: ${COMMAND} commit ${path} --tag ${tag} saves it`,
  );
}
