import { UsageError } from "../arguments/usage_error.ts";

/**
 * The words of a command, which are told apart by spaces alone.
 *
 * @param text The command.
 * @returns The program and its arguments.
 * @throws {UsageError} If there is no word in it.
 */
export function wordsOf(text: string): [string, ...string[]] {
  const [program, ...args] = text.split(" ").filter((word) => word !== "");
  if (program !== undefined) return [program, ...args];
  throw new UsageError("Cannot use a command: it is empty");
}
