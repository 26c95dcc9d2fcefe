import type { CliContext } from "./context.ts";
import { ExitCode } from "./exit_code.ts";
import { COMMAND } from "./product.ts";
import { loadLate } from "./load_late.ts";
import { VERSION } from "./version.ts";

/**
 * Runs the program once.
 *
 * @example Ask for the version
 * ```ts
 * import { main } from "@snap/cli";
 * import { strictEqual } from "node:assert/strict";
 *
 * let said = "";
 * const output = {
 *   isTerminal: false,
 *   write: (bytes: Uint8Array) => {
 *     said += new TextDecoder().decode(bytes);
 *     return Promise.resolve();
 *   },
 * };
 * const context = { stdout: output, stderr: output, cwd: "/", env: () => undefined };
 * strictEqual(await main(["--version"], context), 0);
 * strictEqual(said.startsWith("snap "), true);
 * ```
 *
 * @param args The arguments, without the names of runtime and program.
 * @param context Where the program runs.
 * @returns The answer to the shell, one of {@linkcode ExitCode}.
 */
export async function main(
  args: readonly string[],
  context: CliContext,
): Promise<number> {
  // Nothing is loaded for this one, and nothing parsed.
  if (args.length === 1 && args[0] === "--version") {
    const text = `${COMMAND} ${VERSION}\n`;
    try {
      await context.stdout.write(new TextEncoder().encode(text));
      return ExitCode.done;
    } catch {
      // It fails below too, where there are words for it.
    }
  }
  let runCommand: typeof import("./run_command.ts").runCommand;
  try {
    ({ runCommand } = await loadLate(
      "run_command",
    ) as typeof import("./run_command.ts"));
  } catch (error) {
    // Code that is loaded late needs to be readable, where it is files.
    const reason = error instanceof Error ? error.message : String(error);
    const text = `${COMMAND}: Cannot load its own code: found ${reason}\n`;
    await context.stderr.write(new TextEncoder().encode(text));
    return ExitCode.failed;
  }
  return await runCommand(args, context);
}
