import type { DiskCalls } from "./disk_calls.ts";
import { readWholeFile } from "./read_whole_file.ts";

/** File system type of FUSE, as statfs(2) gives it (`FUSE_SUPER_MAGIC`). */
const FUSE_TYPE = 0x65735546;
const SNAP_TYPE = "fuse.snap";

/** Directories of mounted snapshots: they are not saved once more. */
export class SnapMounts {
  readonly #calls: DiskCalls;
  readonly #known: Map<string, boolean> = new Map();

  constructor(calls: DiskCalls) {
    this.#calls = calls;
  }

  /** Whether an open directory on a device is in a mount of ours. */
  holds(fd: number, major: number, minor: number): boolean {
    const device = `${major}:${minor}`;
    let answer = this.#known.get(device);
    if (answer === undefined) {
      answer = this.#calls.fsType(fd) === FUSE_TYPE && this.#isListed(device);
      this.#known.set(device, answer);
    }
    return answer;
  }

  #isListed(device: string): boolean {
    const bytes = readWholeFile(this.#calls, "/proc/self/mountinfo");
    if (bytes === undefined) return false;
    return mountType(new TextDecoder().decode(bytes), device) === SNAP_TYPE;
  }
}

/** File system type of a device, from the text of `/proc/self/mountinfo` (proc(5)). */
export function mountType(
  mountinfo: string,
  device: string,
): string | undefined {
  for (const line of mountinfo.split("\n")) {
    const fields = line.split(" ");
    if (fields[2] !== device) continue;
    const separator = fields.indexOf("-", 6);
    if (separator > 0) return fields[separator + 1];
  }
  return undefined;
}
