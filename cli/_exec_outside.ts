import { mkdtemp, rmdir } from "node:fs/promises";
import { runChild } from "./_run_child.ts";
import { givenOptions, needCommand } from "./_start_again.ts";
import type { Session } from "./session.ts";
import { findNamespace } from "./_user_namespace.ts";

/** What is handed on to the program inside. */
const OPTIONS = ["store", "json", "quiet", "verbose", "cache", "any"];

/**
 * Starts this program again in a namespace of its own, where it may mount and
 * nobody else sees it.
 *
 * @param session The command.
 * @returns What the command inside answers.
 * @throws {CommandError} If there can be no namespace; its hint says what to do.
 */
export async function execOutside(session: Session): Promise<number> {
  const { args, context, signal } = session;
  const command = await needCommand(session);
  const namespace = await findNamespace();
  signal.throwIfAborted();
  const temporary = context.env("TMPDIR") || "/tmp";
  const folder = await mkdtemp(`${temporary}/snap-exec-`);
  const [target, ...words] = args.positionals;
  try {
    return await runChild(session, "unshare", [
      ...namespace,
      "--",
      ...command,
      "exec",
      `--inside=${folder}`,
      ...givenOptions(args, OPTIONS),
      target,
      "--",
      ...words,
    ]);
  } finally {
    await rmdir(folder);
  }
}
