import { readFileSync } from "node:fs";
import { allowed } from "@snap/posix";
import { diskCalls } from "@snap/disk";
import { O_CLOEXEC, O_DIRECTORY, O_RDONLY } from "@snap/posix/constants";
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

/** File systems whose files the kernel makes up as they are read. */
const UNREAL: ReadonlySet<string> = new Set([
  "autofs",
  "binfmt_misc",
  "bpf",
  "cgroup",
  "cgroup2",
  "configfs",
  "debugfs",
  "devpts",
  "efivarfs",
  "fusectl",
  "nfsd",
  "nsfs",
  "proc",
  "pstore",
  "resctrl",
  "rpc_pipefs",
  "securityfs",
  "selinuxfs",
  "smackfs",
  "sysfs",
  "tracefs",
]);

/** Answers of `statfs` for file systems whose device numbers no mount table has. */
const WELL_KNOWN_TYPES: ReadonlySet<number> = new Set([
  0x9123683e, // btrfs
  0x2fc12fc1, // zfs
  0x794c7630, // overlay
  0xca451a4e, // bcachefs
]);

/** Tells what is known of the file systems of one save. */
export class FileSystems {
  readonly #root: Uint8Array;
  #types: Map<string, string> | undefined;

  /**
   * Reads nothing yet.
   *
   * @param root The path of the source, for devices that are in no mount table.
   */
  constructor(root: Uint8Array) {
    this.#root = root;
  }

  /**
   * Tells whether a device keeps change times as it should.
   *
   * @param row The row of something on the device.
   * @returns Whether every change of an entry moves its change time.
   */
  isWellKnown(stats: StatTable, row: number): boolean {
    const type = this.#typeOf(stats, row);
    return type === undefined
      ? isRootWellKnown(this.#root)
      : WELL_KNOWN.has(type);
  }

  /**
   * Tells whether a device has no files of its own.
   *
   * @param row The row of something on the device.
   * @returns The name of its file system if it makes files up, such as `proc`.
   */
  unrealType(stats: StatTable, row: number): string | undefined {
    const type = this.#typeOf(stats, row);
    return type !== undefined && UNREAL.has(type) ? type : undefined;
  }

  #typeOf(stats: StatTable, row: number): string | undefined {
    this.#types ??= mountTypes();
    return this.#types.get(
      `${stats.deviceMajor(row)}:${stats.deviceMinor(row)}`,
    );
  }
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
