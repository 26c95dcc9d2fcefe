import { resolvePath } from "../arguments/resolve_path.ts";
import type { Session } from "../session.ts";

/** Whether a text is a path and never a snapshot: it has a slash before any colon, or is `.` or `..`. */
export function isPath(text: string): boolean {
  return /^\.{0,2}$|^[^:]*\//.test(text);
}

/** Whether a text names a directory of the disk. */
export async function isDirectory(
  session: Session,
  text: string,
): Promise<boolean> {
  const { stat } = await import("node:fs/promises");
  try {
    return (await stat(await resolvePath(session, text))).isDirectory();
  } catch {
    return false;
  }
}
