import { CommandError } from "../command_error.ts";
import type { Session } from "../session.ts";

/** Puts the folder of the user in the place of a `~` at the beginning of a path. */
export function expandHome({ context }: Session, path: string): string {
  if (!path.startsWith("~/")) return path;
  const home = context.env("HOME");
  if (home) return `${home}${path.slice(1)}`;
  throw new CommandError(`Cannot use path ${path}: HOME is not set`);
}
