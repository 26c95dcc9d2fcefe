import { loadLate } from "../load_late.ts";
import type { Session } from "../session.ts";
import { UsageError } from "../arguments/usage_error.ts";
import { mountSettings } from "../arguments/mount_settings.ts";

/** `snap mount ID[:PATH] DIR`, and `snap mount --all DIR` */
export async function run(session: Session): Promise<number> {
  const { args } = session;
  const isForeground = args.has("foreground");
  if (isForeground && args.has("background")) {
    throw new UsageError("Cannot use --foreground and --background at once");
  }
  if (isForeground && args.has("log")) {
    throw new UsageError(
      "Cannot use --log in the foreground: errors go to stderr",
      "2> FILE writes them into a file",
    );
  }
  checkWritable(session);
  mountSettings(session); // Refuses what is wrong before anything is done.
  // Each needs much that the other does not, and starting is to be quick.
  if (isForeground) {
    const { prepare } = await loadLate(
      "mounts/prepare_mount",
    ) as typeof import("../mounts/prepare_mount.ts");
    const prepared = await prepare();
    const { serveMount } = await loadLate(
      "mounts/serve_mount",
    ) as typeof import("../mounts/serve_mount.ts");
    return await serveMount(session, prepared);
  }
  const { startServer } = await loadLate(
    "mounts/start_server",
  ) as typeof import("../mounts/start_server.ts");
  return await startServer(session);
}

function checkWritable({ args }: Session): void {
  if (!args.has("writable")) {
    if (!args.has("upper")) return;
    throw new UsageError("Cannot use --upper without --writable");
  }
  for (const name of ["all", "allow-other"]) {
    if (!args.has(name)) continue;
    throw new UsageError(`Cannot use --writable and --${name} at once`);
  }
}
