/**
 * Permissions that the runtime gives the program.
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
 * Whether a permission is granted for everything, or for one thing. Never asks the user.
 *
 * @param thing What it is wanted for, if that is not everything: a path to read or write, a kind
 * of `sys` such as `uid`.
 * @returns True if so; always true on a runtime without permissions.
 *
 * @example
 * ```ts
 * import { allowed } from "@snap/posix";
 *
 * console.log(allowed("ffi") ? "native" : "portable");
 * ```
 */
export function allowed(permission: Permission, thing?: string): boolean {
  if (typeof Deno === "undefined") return true;
  const key = permission === "sys" ? "kind" : "path";
  const descriptor = {
    name: permission,
    ...(thing === undefined ? {} : { [key]: thing }),
  } as Deno.PermissionDescriptor;
  return Deno.permissions.querySync(descriptor).state === "granted";
}
