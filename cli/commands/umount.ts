import { CommandError } from "../command_error.ts";
import { ExitCode } from "../exit_code.ts";
import { COMMAND } from "../product.ts";
import type { FoundFolder } from "../mounts/writable_folder.ts";
import { UsageError } from "../arguments/usage_error.ts";
import { resolvePath } from "../arguments/resolve_path.ts";
import type { Session } from "../session.ts";

/** `snap umount DIR` */
export async function run(session: Session): Promise<number> {
  const { args } = session;
  const directory = await resolvePath(session, args.positionals[0]);
  if (args.has("lazy") && args.has("discard")) {
    throw new UsageError(
      "Cannot use --lazy and --discard at once: what is open is still written to",
    );
  }
  const { unmount } = await import("@snap/fuse");
  const written = await findWritten(session, directory);
  if (written?.isMounted === false) {
    await written.folder.remove();
    return ExitCode.done;
  }
  try {
    await unmount(directory, { lazy: args.has("lazy") });
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string };
    if (code === "BUSY") {
      throw new CommandError(
        message,
        `fuser -vm ${directory} lists who uses it; --lazy takes it out of sight at once`,
      );
    }
    if (code !== "NOT_MOUNTED") throw error;
    throw new CommandError(message, `${COMMAND} ls --mounts lists what is`);
  }
  if (written !== undefined) await endWritten(session, written.folder);
  return ExitCode.done;
}

/** Finds what was written to a mount; to one that has ended, where it is to be dropped. */
async function findWritten(
  session: Session,
  directory: string,
): Promise<FoundFolder | undefined> {
  const { isWritable } = await import("@snap/fuse");
  if (!isWritable(directory) && !session.args.has("discard")) return undefined;
  const { findWritableFolder } = await import("../mounts/writable_folder.ts");
  return await findWritableFolder(session, directory);
}

/** Drops what was written, or says where it stays. */
async function endWritten(
  session: Session,
  folder: FoundFolder["folder"],
): Promise<void> {
  if (session.args.has("discard") || await folder.isEmpty()) {
    return await folder.remove();
  }
  const { countWritten } = await import("../mounts/writable_folder.ts");
  const { mountpoint } = folder.notes;
  session.say(
    `Kept what was written, ${await countWritten(
      folder,
    )}, in ${folder.path}: ${COMMAND} commit ${mountpoint} saves it, ${COMMAND} umount --discard ${mountpoint} drops it`,
  );
}
