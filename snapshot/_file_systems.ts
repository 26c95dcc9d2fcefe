import { readFileSync } from "node:fs";
import { allowed } from "@snap/posix/allowed";
import { diskCalls } from "@snap/disk/disk-calls";
import { O_CLOEXEC, O_DIRECTORY, O_RDONLY } from "@snap/posix/flags";
import type { StatTable } from "@snap/posix/stat-table";

/** File systems on which every change of an entry moves its change time. */
const WELL_KNOWN: ReadonlySet<string> = new Set([
  "ext2",
  "ext3",
  "ext4",
  "xfs",
  "btrfs",
  "zfs",
  "tmpfs",
  "overlay",
  "f2fs",
  "bcachefs",
  "ntfs3",
]);

/** What `statfs` says of file systems whose device numbers no mount table has. */
const WELL_KNOWN_TYPES: ReadonlySet<number> = new Set([
  0x9123683e, // btrfs
  0x2fc12fc1, // zfs
  0x794c7630, // overlay
  0xca451a4e, // bcachefs
]);

/**
 * Tells which devices keep change times as they should.
 *
 * @param root The path of the source, for devices that are in no mount table.
 * @returns A question about the device of a row.
 */
export function wellKnownDevices(
  root: Uint8Array,
): (stats: StatTable, row: number) => boolean {
  let types: Map<string, string> | undefined;
  return (stats, row) => {
    types ??= mountTypes();
    const device = `${stats.deviceMajor(row)}:${stats.deviceMinor(row)}`;
    const type = types.get(device);
    return type === undefined ? isRootWellKnown(root) : WELL_KNOWN.has(type);
  };
}

function mountTypes(): Map<string, string> {
  const types = new Map<string, string>();
  const path = "/proc/self/mountinfo";
  // Deno would ask on a terminal.
  if (!allowed("read", path)) return types;
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return types;
  }
  for (const line of text.split("\n")) {
    const [before, after] = line.split(" - ");
    const device = before.split(" ")[2];
    if (after !== undefined) types.set(device, after.split(" ")[0]);
  }
  return types;
}

function isRootWellKnown(root: Uint8Array): boolean {
  const calls = diskCalls();
  const path = new Uint8Array(root.length + 1);
  path.set(root);
  const fd = calls.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (fd < 0) return false;
  const type = calls.fsType(fd);
  calls.close(fd);
  return WELL_KNOWN_TYPES.has(type);
}
