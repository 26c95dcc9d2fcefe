import { nodeModule } from "../node_module.ts";

const { rmSync } = nodeModule("node:fs");

/**
 * Removes a file that nobody needs, where that works: what went wrong before is
 * what has to be said.
 *
 * @param close Closes it.
 */
export function removeQuietly(path: string, close?: () => void): void {
  try {
    close?.();
  } catch {
    // It is not wanted, whole or not.
  }
  try {
    rmSync(path, { force: true });
  } catch {
    // It lies where nobody looks.
  }
}
