import { loadLate } from "../_load_late.ts";
import type { Session } from "../session.ts";
import { UsageError } from "../usage_error.ts";
import { mountSettings } from "../mount_settings.ts";

/** `snap mount ID[:PATH] DIR`, and `snap mount --all DIR` */
export async function run(session: Session): Promise<number> {
  const { args } = session;
  const isForeground = args.has("foreground");
  if (isForeground && args.has("background")) {
    throw new UsageError("Cannot use --foreground and --background at once");
  }
  if (isForeground && args.has("log")) {
    throw new UsageError(
      "Cannot use --log in the foreground as errors go to stderr",
      "2> FILE writes them into a file",
    );
  }
  mountSettings(session); // Refuses what is wrong before anything is done.
  // Each needs much that the other does not, and starting is to be quick.
  if (isForeground) {
    const { prepare } = await loadLate(
      "_prepare_mount",
    ) as typeof import("../_prepare_mount.ts");
    const prepared = await prepare();
    const { serveMount } = await loadLate(
      "_serve_mount",
    ) as typeof import("../_serve_mount.ts");
    return await serveMount(session, prepared);
  }
  const { startServer } = await loadLate(
    "_start_server",
  ) as typeof import("../_start_server.ts");
  return await startServer(session);
}
