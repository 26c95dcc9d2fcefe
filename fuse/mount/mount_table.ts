/**
 * The kernel's table of mounts.
 *
 * @module
 */
import { readSystemFile } from "./read_system_file.ts";

/** The type of a mount of this package in the table. */
export const MOUNT_TYPE = "fuse.snap";

/** The type of an overlay in the table. */
export const OVERLAY_TYPE = "overlay";

/** A mount of the table. */
export interface MountTableEntry {
  /** Number of the mount, used again after it has gone. */
  readonly number: number;
  /** Device number, as `major:minor`. */
  readonly device: string;
  /** The path of the mount point: one character a byte, from 0 to 255. */
  readonly mountpointBytes: string;
  /** The path of the mount point as text; bytes that are not UTF-8 are replaced. */
  readonly mountpoint: string;
  /** The file system, such as `fuse.snap`. */
  readonly type: string;
  /** The source, such as `snap:0123456789ab`. */
  readonly source: string;
  /** Options of the file system, separated by commas. */
  readonly options: string;
}

/**
 * Reads the table of mounts that this process sees.
 *
 * @returns The mounts; of several at one mount point the last one is seen. None where there
 * is no `/proc`, or no native calls.
 */
export function readMountTable(): MountTableEntry[] {
  let text = "";
  for (const byte of readSystemFile("/proc/self/mountinfo")) {
    text += String.fromCharCode(byte);
  }
  return parseMountTable(text);
}

/**
 * Parses `/proc/self/mountinfo`.
 *
 * @param text Its text, one character a byte.
 * @returns The mounts, in order; lines of an unknown form are left out.
 */
export function parseMountTable(text: string): MountTableEntry[] {
  const entries: MountTableEntry[] = [];
  for (const line of text.split("\n")) {
    const [place, system] = line.split(" - ");
    const [number, , device, , path] = place.split(" ");
    const [type, source, options] = system?.split(" ") ?? [];
    if (path === undefined || options === undefined) continue;
    const mountpointBytes = unescape(path);
    entries.push({
      number: Number(number),
      device,
      mountpointBytes,
      mountpoint: textOf(mountpointBytes),
      type,
      source: textOf(unescape(source)),
      options,
    });
  }
  return entries;
}

/**
 * Finds the mount at a path.
 *
 * @param path The path, absolute and without links.
 * @returns The mount that is seen there, or `undefined` if it is no mount point.
 */
export function findMount(
  entries: readonly MountTableEntry[],
  path: string,
): MountTableEntry | undefined {
  return entries.findLast((one) => one.mountpoint === path);
}

/**
 * Gives the upper directory of an overlay of this program, in which lies what was written.
 *
 * @param entry A mount of the table.
 * @returns Its path; `undefined` if the mount is another one.
 */
export function upperOf(
  { type, source, options }: MountTableEntry,
): string | undefined {
  if (type !== OVERLAY_TYPE || !source.startsWith("snap:")) return undefined;
  const option = options.split(",").find((one) => one.startsWith("upperdir="));
  return option && textOf(unescape(option.slice("upperdir=".length)));
}

/** Blanks, line breaks and backslashes stand there as three octal digits. */
function unescape(text: string): string {
  return text.replace(
    /\\([0-7]{3})/g,
    (_, digits) => String.fromCharCode(parseInt(digits, 8)),
  );
}

function textOf(bytes: string): string {
  return new TextDecoder().decode(
    Uint8Array.from(bytes, (one) => one.charCodeAt(0)),
  );
}
