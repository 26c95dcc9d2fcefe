/** Errors of the target after which nothing can be written: nothing behind a mount point is. */
const FATAL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EROFS"]);

/**
 * Tells whether to go on after an error of the target makes no sense.
 *
 * @returns Whether the restore ends.
 */
export function isFatal(code: string): boolean {
  return FATAL.has(code);
}

/**
 * Tells the same of an attribute that could not be set. There `ENOSPC` and `EDQUOT` may be said of
 * the one entry: it has room for so many bytes of attributes, its new owner for so many files.
 *
 * @returns Whether the restore ends.
 */
export function isFatalForAttribute(code: string): boolean {
  return code === "EROFS";
}
