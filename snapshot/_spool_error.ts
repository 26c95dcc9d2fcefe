import { StoreError } from "@snap/store/errors";

/**
 * Runs what reads or writes a file on its way into a store: where it fails, the
 * store does.
 *
 * @param path The file.
 * @param run What to run.
 * @returns What `run` returns.
 * @throws {StoreError} If `run` throws an error of the system.
 */
export function spooling<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    const code = (cause as { code?: unknown } | null)?.code;
    if (typeof code !== "string" || cause instanceof StoreError) throw cause;
    const need = code === "ENOSPC" || code === "EDQUOT"
      ? "the store needs free space"
      : "the store must allow it";
    throw new StoreError(
      `Cannot write ${path} as ${need}: found ${code}`,
      { code, action: "adopt", path, cause },
    );
  }
}
