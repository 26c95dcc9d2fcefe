import type { Session } from "./session.ts";

/**
 * Makes a path absolute, from the folder of the user.
 *
 * @param session The command.
 * @param path The path as given.
 * @returns The path, without `.` and `..`.
 */
export async function resolvePath(
  session: Session,
  path: string,
): Promise<string> {
  const { resolve } = await import("node:path");
  return resolve(session.context.cwd, path);
}
