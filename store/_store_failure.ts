import { codeOf } from "./_file_calls.ts";
import { type StoreAction, StoreError } from "./errors.ts";

const NEEDS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk needs free space",
  EDQUOT: "the quota needs free space",
  EACCES: "permission is needed",
  EPERM: "permission is needed",
  EROFS: "the disk must be writable",
  EIO: "the disk must work",
};

/**
 * The error to throw for one of the system. What has no code, such as the reason
 * of a signal, stays what it is.
 */
export function storeFailure(
  action: StoreAction,
  what: { readonly storeName?: string; readonly path?: string },
  cause: unknown,
): unknown {
  const code = codeOf(cause);
  if (code === undefined || cause instanceof StoreError) return cause;
  const need = NEEDS[code] ?? "the disk must allow it";
  const subject = what.storeName ?? what.path ?? "the store";
  return new StoreError(
    `Cannot ${action} ${subject} as ${need}: found ${code}`,
    {
      ...what,
      code,
      action,
      cause,
    },
  );
}
