import { StoreError } from "@snap/store";

/**
 * Runs what writes a file on its way into a store: where it fails, the store
 * does.
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
    throw fileFailure("adopt", path, cause);
  }
}

/**
 * Tells which error to throw for one of the system.
 *
 * @param action What was done with a file of a store.
 * @param path The file.
 * @param cause What was thrown. Without a code it stays what it is.
 * @returns The error.
 */
export function fileFailure(
  action: "adopt" | "read",
  path: string,
  cause: unknown,
): unknown {
  const code = (cause as { code?: unknown } | null)?.code;
  if (typeof code !== "string" || cause instanceof StoreError) return cause;
  const reason = code === "ENOSPC" || code === "EDQUOT"
    ? "no space is left"
    : "the disk refuses";
  const verb = action === "read" ? "read" : "write";
  return new StoreError(
    `Cannot ${verb} ${path}: ${reason} (${code})`,
    { code, action, path, cause },
  );
}
