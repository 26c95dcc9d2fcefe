import { loadLate } from "../_load_late.ts";
import { mountSettings } from "../mount_settings.ts";
import type { Session } from "../session.ts";

/** `snap exec ID[:PATH] -- COMMAND [ARG]...` */
export async function run(session: Session): Promise<number> {
  mountSettings(session); // Refuses what is wrong before anything is done.
  // Each needs much that the other does not.
  if (session.args.has("inside")) {
    const { prepare } = await loadLate(
      "_prepare_mount",
    ) as typeof import("../_prepare_mount.ts");
    const prepared = await prepare();
    const { execInside } = await loadLate(
      "_exec_inside",
    ) as typeof import("../_exec_inside.ts");
    return await execInside(session, prepared);
  }
  const { execOutside } = await loadLate(
    "_exec_outside",
  ) as typeof import("../_exec_outside.ts");
  return await execOutside(session);
}
