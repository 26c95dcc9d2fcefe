import { EINVAL, EIO, errnos } from "@snap/posix/constants";

/** The result of a function, or the negative number of the error that it throws. */
export function attempt(act: () => number | void): number {
  try {
    return act() ?? 0;
  } catch (error) {
    const { code, errno } = error as { code?: string; errno?: number };
    if (code !== undefined && code in errnos) return -errnos[code];
    if (typeof errno === "number" && errno !== 0) return -Math.abs(errno);
    // What Deno refuses without a permission.
    if ((error as Error).name === "NotCapable") return -errnos.EACCES;
    // Bytes that are no UTF-8, or a value that Node does not take.
    return error instanceof TypeError || error instanceof RangeError
      ? -EINVAL
      : -EIO;
  }
}
