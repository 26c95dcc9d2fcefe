import type { Session } from "./session.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Makes a path absolute, from the folder of the user.
 *
 * @param session The command.
 * @param path The path as given.
 * @returns The path, without `.` and `..`.
 * @throws {UsageError} If the path is empty, as an unset variable of a script is.
 */
export async function resolvePath(
  session: Session,
  path: string,
): Promise<string> {
  if (path === "") {
    throw new UsageError(
      'Cannot use a path as it must not be empty: found ""',
      "the current folder is .",
    );
  }
  const { resolve } = await import("node:path");
  return resolve(session.context.cwd, path);
}
