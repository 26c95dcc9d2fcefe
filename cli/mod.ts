/**
 * The command line as a function: `main` takes arguments and a context, and
 * returns the exit code. The program itself is `cli/main.ts`.
 *
 * @example Ask for help
 * ```ts
 * import { main } from "@snap/cli";
 * import { match } from "node:assert/strict";
 *
 * let said = "";
 * const stdout = {
 *   isTerminal: false,
 *   write: (bytes: Uint8Array) => {
 *     said += new TextDecoder().decode(bytes);
 *     return Promise.resolve();
 *   },
 * };
 * await main(["help", "save"], { stdout, stderr: stdout, cwd: "/", env: () => undefined });
 * match(said, /--dry-run/);
 * ```
 *
 * @module
 */
export * from "./context.ts";
export { EXIT_CODES, ExitCode } from "./exit_code.ts";
export * from "./prefetch.ts";
export * from "./program.ts";
export * from "./version.ts";

if (import.meta.main) await import("./main.ts");
