import { CommandError } from "../command_error.ts";
import { ExitCode } from "../exit_code.ts";
import { COMMAND } from "../product.ts";
import { resolvePath } from "../arguments/resolve_path.ts";
import type { Session } from "../session.ts";

/** `snap umount DIR` */
export async function run(session: Session): Promise<number> {
  const { args } = session;
  const directory = await resolvePath(session, args.positionals[0]);
  const { unmount } = await import("@snap/fuse");
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
  return ExitCode.done;
}
