/**
 * Functions that run when the program ends.
 *
 * @module
 */

import { onDeno } from "./threads.ts";

/** The part of Node's process that is used; on Deno a look at it costs 8 ms of start-up. */
interface NodeProcess {
  on(event: "exit", handler: () => void): void;
  off(event: "exit", handler: () => void): void;
}

/**
 * Calls back when the program ends by itself, by an exit or by an error that nobody caught; not
 * when a signal or a crash ends it. On Node the program ends only when its workers have: this is
 * where they are told.
 *
 * @param handler Called once, and may not wait.
 * @returns Takes the handler back.
 *
 * @example
 * ```ts
 * import { onExit } from "@snap/posix/worker";
 *
 * const takeBack = onExit(() => console.log("Bye"));
 * takeBack();
 * ```
 */
export function onExit(handler: () => void): () => void {
  if (onDeno) {
    globalThis.addEventListener("unload", handler);
    return () => globalThis.removeEventListener("unload", handler);
  }
  const { process } = globalThis as unknown as { process: NodeProcess };
  process.on("exit", handler);
  return () => process.off("exit", handler);
}
