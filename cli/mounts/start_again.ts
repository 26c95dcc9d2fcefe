import { CommandError } from "../command_error.ts";
import { GLOBAL_OPTIONS } from "../arguments/global_options.ts";
import type { ParsedArguments } from "../arguments/parse_arguments.ts";
import type { Session } from "../session.ts";

/**
 * Finds the words that start this program again.
 *
 * @throws {CommandError} If it cannot be started from where it runs.
 */
export async function needCommand(
  { context }: Session,
): Promise<readonly string[]> {
  if (context.command !== undefined) return await context.command();
  throw new CommandError(
    "Cannot start the server: this program is part of another one",
    "mount --foreground needs no second program",
  );
}

/** Writes options again as they were given: those of every command, and some of this one. */
export function givenOptions(
  args: ParsedArguments,
  own: readonly string[],
): string[] {
  const names = [...GLOBAL_OPTIONS.map(({ name }) => name), ...own];
  return names.filter((name) => args.has(name)).map((name) => {
    const value = args.text(name);
    return value === "" ? `--${name}` : `--${name}=${value}`;
  });
}
