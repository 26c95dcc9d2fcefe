import { type Mount, mount } from "@snap/fuse";
import type { PreparedMount } from "@snap/fuse/prepare";
import { CommandError } from "../command_error.ts";
import { COMMAND_NOT_FOUND, COMMAND_NOT_RUN } from "../exit_code.ts";
import { findRoot } from "./mount_root.ts";
import { mountSettings } from "../arguments/mount_settings.ts";
import { tellLog } from "./mount_words.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { runChild } from "./run_child.ts";
import type { Session } from "../session.ts";

/**
 * Mounts in the namespace of this process, runs the command in it, and unmounts.
 *
 * @returns What the command answers, or why it was not run.
 * @throws {MountError} If it cannot be mounted.
 */
export async function execInside(
  session: Session,
  prepared: PreparedMount,
): Promise<number> {
  const { args, signal } = session;
  const [target, ...command] = args.positionals;
  let mounted: Mount | undefined;
  try {
    return await withSnapshots(session, {}, async (snapshots) => {
      const finding = findRoot(session, snapshots, target);
      mounted = await mount(snapshots.store, finding.then(({ root }) => root), {
        ...mountSettings(session),
        mountpoint: args.text("inside")!,
        hasher: snapshots.hasher,
        prepared,
        signal,
        onLog: (line) => tellLog(session, line),
      });
      return await runInside(session, mounted, command);
    });
  } finally {
    // What the command left running must not keep this program.
    await (mounted === undefined ? prepared.end() : mounted.abort());
  }
}

async function runInside(
  session: Session,
  { mountpoint }: Mount,
  [program, ...words]: readonly string[],
): Promise<number> {
  session.signal.throwIfAborted();
  try {
    return await runChild(session, program, words, {
      cwd: mountpoint,
      env: { SNAP_MOUNT: mountpoint },
    });
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    const isAbsent = code === "ENOENT";
    const reason = isAbsent
      ? "there is no such program"
      : `it cannot be run (${code ?? message})`;
    const said = new CommandError(
      `Cannot exec ${JSON.stringify(program)}: ${reason}`,
    );
    session.error(said.message, { name: said.name });
    return isAbsent ? COMMAND_NOT_FOUND : COMMAND_NOT_RUN;
  }
}
