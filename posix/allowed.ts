/**
 * What the runtime lets the program do.
 *
 * @module
 */

/** A permission of Deno. */
export type Permission =
  | "ffi"
  | "read"
  | "write"
  | "net"
  | "run"
  | "sys"
  | "env";

/**
 * Whether a permission is granted for everything. Never asks the user.
 *
 * @param permission Its name.
 * @returns True if so; always true on a runtime without permissions.
 *
 * @example
 * ```ts
 * import { allowed } from "@snap/posix/allowed";
 *
 * console.log(allowed("ffi") ? "native" : "portable");
 * ```
 */
export function allowed(permission: Permission): boolean {
  if (typeof Deno === "undefined") return true;
  return Deno.permissions.querySync({ name: permission }).state === "granted";
}
