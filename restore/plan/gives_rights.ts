import { S_ISGID, S_ISUID } from "@snap/posix/constants";
import { type FileExtras, KEEP } from "../messages.ts";

/** The extended attribute that holds the capabilities of a program. */
const CAPABILITY = new TextEncoder().encode("security.capability");

/**
 * Whether a file gives rights to who runs it: by a set-id bit, or by capabilities.
 *
 * @param mode Its mode, or `KEEP`.
 * @returns True if it does.
 */
export function givesRights(
  mode: number,
  xattrs: FileExtras["xattrs"] | undefined,
): boolean {
  return (mode !== KEEP && (mode & (S_ISUID | S_ISGID)) !== 0) ||
    xattrs?.some(({ name }) => isCapability(name)) === true;
}

function isCapability(name: Uint8Array): boolean {
  return name.length === CAPABILITY.length &&
    name.every((byte, i) => byte === CAPABILITY[i]);
}
