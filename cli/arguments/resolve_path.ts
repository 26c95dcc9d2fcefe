import type { Session } from "../session.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Makes a path absolute, from the folder of the user.
 *
 * @returns The path, without `.` and `..`.
 * @throws {UsageError} If the path is empty, as an unset variable of a script is, or was not UTF-8.
 */
export async function resolvePath(
  session: Session,
  path: string,
): Promise<string> {
  if (path === "") {
    throw new UsageError(
      "Cannot use a path: it is empty",
      "the current folder is .",
    );
  }
  const { resolve } = await import("node:path");
  const whole = resolve(session.context.cwd, path);
  // What is not UTF-8 the runtimes hand on as U+FFFD, which may be a name of its own.
  if (!whole.includes("\ufffd") || await isThere(whole)) return whole;
  throw new UsageError(
    `Cannot use path ${JSON.stringify(path)}: it is not UTF-8`,
    "a symbolic link to it can have another name",
  );
}

async function isThere(path: string): Promise<boolean> {
  const { lstat } = await import("node:fs/promises");
  return await lstat(path).then(() => true, () => false);
}
