import { loadLate } from "../load_late.ts";
import { mountSettings } from "../arguments/mount_settings.ts";
import type { Session } from "../session.ts";

/** `snap exec ID[:PATH] -- COMMAND [ARG]...` */
export async function run(session: Session): Promise<number> {
  mountSettings(session); // Refuses what is wrong before anything is done.
  // Each needs much that the other does not.
  if (session.args.has("inside")) {
    const { prepare } = await loadLate(
      "mounts/prepare_mount",
    ) as typeof import("../mounts/prepare_mount.ts");
    const prepared = await prepare();
    const { execInside } = await loadLate(
      "mounts/exec_inside",
    ) as typeof import("../mounts/exec_inside.ts");
    return await execInside(session, prepared);
  }
  const { execOutside } = await loadLate(
    "mounts/exec_outside",
  ) as typeof import("../mounts/exec_outside.ts");
  return await execOutside(session);
}
