import { mkdtemp, rmdir } from "node:fs/promises";
import { runChild } from "./run_child.ts";
import { givenOptions, needCommand } from "./start_again.ts";
import type { Session } from "../session.ts";
import { findNamespace } from "./user_namespace.ts";

/** Options of this command that are handed on to the program inside. */
const OPTIONS = [
  "cache",
  "numeric-owner",
  "any",
];

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
  const folder = await makeFolder(context.env("TMPDIR"));
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
    if (folder !== undefined) await rmdir(folder);
  }
}

/** Makes a folder to mount on; nothing where none can be written. */
async function makeFolder(
  first: string | undefined,
): Promise<string | undefined> {
  let denial: unknown;
  for (const folder of first ? [first, ...FOLDERS] : FOLDERS) {
    try {
      return await mkdtemp(`${folder}/snap-exec-`);
    } catch (error) {
      // Only the user can mend that, and wants to be told.
      if ((error as Error).name === "NotCapable") denial ??= error;
    }
  }
  if (denial !== undefined) throw denial;
  return undefined;
}
