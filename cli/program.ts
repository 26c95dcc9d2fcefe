import type { CliContext } from "./context.ts";
import { ExitCode } from "./exit_code.ts";
import { COMMAND } from "./product.ts";
import { loadLate } from "./_load_late.ts";
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
    await context.stdout.write(new TextEncoder().encode(text));
    return ExitCode.done;
  }
  const { runCommand } = await loadLate(
    "run_command",
  ) as typeof import("./run_command.ts");
  return await runCommand(args, context);
}
