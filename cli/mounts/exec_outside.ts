import { posix } from "@snap/posix";
import { mkdtemp, rmdir } from "node:fs/promises";
import { CommandError } from "../command_error.ts";
import { runChild } from "./run_child.ts";
import { givenOptions, needCommand } from "./start_again.ts";
import type { Session } from "../session.ts";
import { findNamespace } from "./user_namespace.ts";

/** Options of this command that are handed on to the program inside. */
const OPTIONS = [
  "save",
  "always",
  "message",
  "cache",
  "numeric-owner",
  "any",
];

/** `OVERLAYFS_SUPER_MAGIC`, as statfs(2) gives it. */
const OVERLAY_MAGIC = 0x794c7630;

/** Places for the folder of the mount, after that in TMPDIR. */
const FOLDERS = ["/tmp", "/var/tmp", "/dev/shm"];
/** Is there nearly everywhere: in the namespace it is covered for the command only. */
const LAST_RESORT = "/mnt";

/**
 * Starts this program again in a namespace of its own, where it may mount and
 * nobody else sees it.
 *
 * @throws {CommandError} If there can be no namespace; its hint says what to do.
 */
export async function execOutside(session: Session): Promise<number> {
  const { args, context, signal } = session;
  const command = await needCommand(session);
  const namespace = await findNamespace();
  signal.throwIfAborted();
  const isWriting = args.has("save");
  const folder = await makeFolder(context.env("TMPDIR"), { isWriting });
  const [target, ...words] = args.positionals;
  try {
    return await runChild(session, "unshare", [
      ...namespace,
      "--",
      ...command,
      "exec",
      `--inside=${folder ?? LAST_RESORT}`,
      ...givenOptions(args, OPTIONS),
      target,
      "--",
      ...words,
    ]);
  } finally {
    if (folder !== undefined) await removeEmpty(folder);
  }
}

/** Removes a folder, unless the program inside has, or has kept something in it. */
async function removeEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== "ENOENT" && code !== "ENOTEMPTY") throw error;
  }
}

/** Makes a folder to mount on; nothing where none can be written. */
async function makeFolder(
  first: string | undefined,
  { isWriting }: { readonly isWriting: boolean },
): Promise<string | undefined> {
  let denial: unknown;
  for (const folder of first ? [first, ...FOLDERS] : FOLDERS) {
    if (isWriting && isOverlay(folder)) continue;
    try {
      return await mkdtemp(`${folder}/snap-exec-`);
    } catch (error) {
      // Only the user can mend that, and wants to be told.
      if ((error as Error).name === "NotCapable") denial ??= error;
    }
  }
  if (denial !== undefined) throw denial;
  if (!isWriting) return undefined;
  throw new CommandError(
    "Cannot exec --save: no folder can keep what is written",
    "TMPDIR names a folder for it, on a file system such as ext4, xfs or tmpfs",
  );
}

/** Whether a folder lies in an overlay, as most of a container does: no other one can be written through it. */
function isOverlay(path: string): boolean {
  const type = posix?.fsTypeOf(new TextEncoder().encode(`${path}\0`));
  return type === OVERLAY_MAGIC;
}
