import { cannot } from "../cannot.ts";
import { codeOf } from "./file_calls.ts";
import { type StoreAction, StoreError } from "../errors.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the quota is used up",
  EACCES: "permission is denied",
  EPERM: "it is not permitted",
  EROFS: "the disk is read-only",
  EIO: "the disk fails",
};

/**
 * Makes an error of the system one of a store. What has no code, such as the reason
 * of a signal, stays what it is.
 *
 * @param action What failed.
 * @param what The name or the path that it failed on.
 * @param cause The error of the system.
 * @returns The error to throw.
 */
export function storeFailure(
  action: StoreAction,
  what: { readonly storeName?: string; readonly path?: string },
  cause: unknown,
): unknown {
  const code = codeOf(cause);
  if (code === undefined || cause instanceof StoreError) return cause;
  const reason = REASONS[code] ?? "the disk refuses";
  const subject = what.storeName ?? what.path ?? "the store";
  return new StoreError(
    `${cannot(action, subject)}: ${reason} (${code})`,
    {
      ...what,
      code,
      action,
      cause,
    },
  );
}
