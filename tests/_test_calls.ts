// Calls of the system that fail where a test says so. Not part of the package.
import { type DiskCalls, diskCalls } from "@snap/disk";

/** Calls of which some are replaced. */
export function hooked(hooks: Partial<DiskCalls>): DiskCalls {
  return new Proxy(diskCalls(), {
    get(target, key) {
      const hook = hooks[key as keyof DiskCalls];
      if (hook !== undefined) return hook;
      const value = target[key as keyof DiskCalls];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** A name as text, without its NUL. */
export function textOf(name: Uint8Array): string {
  return new TextDecoder().decode(name.subarray(0, name.indexOf(0)));
}
