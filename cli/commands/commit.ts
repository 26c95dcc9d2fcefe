import { checkTag } from "../arguments/check_tag.ts";
import { resolvePath } from "../arguments/resolve_path.ts";
import { CommandError } from "../command_error.ts";
import { ExitCode } from "../exit_code.ts";
import { saveOverlay } from "../mounts/save_overlay.ts";
import { findWritableFolder } from "../mounts/writable_folder.ts";
import { COMMAND } from "../product.ts";
import type { Session } from "../session.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { tellSave } from "./save.ts";

/** `snap commit DIR` */
export async function run(session: Session): Promise<number> {
  const { args } = session;
  const tag = args.text("tag");
  if (tag !== undefined) await checkTag(tag);
  const path = await resolvePath(session, args.positionals[0]);
  const found = await findWritableFolder(session, path);
  if (found === undefined) {
    throw new CommandError(
      `Cannot commit ${path}: no snapshot is mounted writable there`,
      `${COMMAND} mount --writable ID ${path} does, ${COMMAND} save makes a snapshot of any directory`,
    );
  }
  const { folder, isMounted } = found;
  if (session.context.isAllowed?.("write", folder.path) === false) {
    throw new CommandError(
      `Cannot remove ${folder.path} when it is saved: a permission is missing`,
      "--allow-write allows it",
    );
  }
  const startMs = performance.now();
  const how = { isTold: true, isWriting: true };
  return await withSnapshots(session, how, async (snapshots, opened) => {
    const result = await saveOverlay(session, {
      ...{ snapshots, opened, folder, tag },
    });
    const { savedFields } = await import("@snap/save");
    const record = { type: "saved", ...savedFields(result), tag };
    await session.result(result.id, record);
    await session.flush();
    const code = await tellSave(session, result, performance.now() - startMs);
    // What could not be saved in full stays.
    if (!isMounted && code === ExitCode.done) await folder.remove();
    return code;
  });
}
