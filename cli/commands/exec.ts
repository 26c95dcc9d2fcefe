import { loadLate } from "../load_late.ts";
import { mountSettings } from "../arguments/mount_settings.ts";
import { checkTag } from "../arguments/check_tag.ts";
import { UsageError } from "../arguments/usage_error.ts";
import type { Session } from "../session.ts";

/** `snap exec ID[:PATH] -- COMMAND [ARG]...` */
export async function run(session: Session): Promise<number> {
  await checkSave(session);
  mountSettings(session); // Refuses what is wrong before anything is done.
  // Each needs much that the other does not.
  if (session.args.has("inside")) {
    const { prepare } = await loadLate(
      "mounts/prepare_mount",
    ) as typeof import("../mounts/prepare_mount.ts");
    const prepared = await prepare();
    if (session.args.has("save")) {
      const { execSaving } = await loadLate(
        "mounts/exec_saving",
      ) as typeof import("../mounts/exec_saving.ts");
      return await execSaving(session, prepared);
    }
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

async function checkSave({ args }: Session): Promise<void> {
  const tag = args.text("save");
  if (tag !== undefined) return await checkTag(tag);
  const wrong = ["always", "message"].find((name) => args.has(name));
  if (wrong === undefined) return;
  throw new UsageError(`Cannot use --${wrong} without --save`);
}
