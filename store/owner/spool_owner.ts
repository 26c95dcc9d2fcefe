import {
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
} from "@snap/posix/constants";
import { posix } from "@snap/posix";
import { nodeModule } from "../node_module.ts";
import { removeQuietly } from "./remove_quietly.ts";

const { closeSync, lstatSync, openSync, readdirSync, renameSync } = nodeModule(
  "node:fs",
);
const { basename, dirname, join } = nodeModule("node:path");

/** A save id, in a folder that others use, too, behind a word; then what tells two saves apart. */
const OWNER_NAME = /^((?:snap-)?([0-9a-f]{32})-).+-alive$/;

/** Of `fcntl`: asks for a lease, which is refused while others have the file open. */
const F_SETLEASE = 1024;
/** A lease to read: refused while anybody has the file open for writing. */
const F_RDLCK = 0;
const F_UNLCK = 2;

/**
 * Types that `statfs` gives for file systems that one kernel has for itself, so that it
 * knows everybody who has a file of theirs open. Those of a network, of a
 * machine above this one and of several layers are not among them.
 */
const OWN_TYPES: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0x2fc12fc1, // zfs
  0xf2f52010, // f2fs
  0x01021994, // tmpfs
]);

/**
 * Liveness marker of a save: a file beside the spooled ones, held open for
 * writing, released by the kernel when the process ends, whatever ends it.
 */
export class SpoolOwner implements Disposable {
  readonly #path: string;
  #descriptor = -1;

  /**
   * Makes the file, where the system can be asked who has it open.
   *
   * @param spoolPath The beginning of the paths of a save.
   */
  constructor(spoolPath: string) {
    this.#path = `${spoolPath}-alive`;
    if (!isOwnDisk(dirname(spoolPath))) return;
    const path = `${spoolPath}-new`;
    try {
      this.#descriptor = openSync(path, "wx", 0o600);
      // Not before it is open: nobody may take it for one that is left.
      renameSync(path, this.#path);
    } catch {
      // The files of this save are left alone, should it be killed.
      removeQuietly(path);
    }
  }

  /** Removes the file. Nothing that needs to be kept may lie beside it. */
  [Symbol.dispose](): void {
    const descriptor = this.#descriptor;
    this.#descriptor = -1;
    if (descriptor >= 0) removeQuietly(this.#path, () => closeSync(descriptor));
  }
}

/**
 * Removes the files of saves that are certainly over.
 *
 * @param spoolPath A path beside theirs.
 * @param isAskedFor Whether somebody may still ask whether a save is over, told its save
 * id: then its marker stays.
 */
export function removeAbandoned(
  spoolPath: string,
  isAskedFor: (saveId: string) => boolean = () => false,
): void {
  const folder = dirname(spoolPath);
  const names = namesIn(folder);
  const owners = names.filter((name) => OWNER_NAME.test(name));
  if (owners.length === 0 || !isOwnDisk(folder)) return;
  for (const owner of owners) {
    if (!isAbandoned(join(folder, owner))) continue;
    const [, prefix, saveId] = OWNER_NAME.exec(owner)!;
    for (const name of names) {
      if (!name.startsWith(prefix) || OWNER_NAME.test(name)) continue;
      removeQuietly(join(folder, name));
    }
    // Last: what stops in between is gone on with by the next save.
    if (!isAskedFor(saveId)) removeQuietly(join(folder, owner));
  }
}

/**
 * Tells whether a save is certainly over: it has left markers, and no process has any
 * of them open. Of a save without a marker nothing is known.
 *
 * @param spoolPath A path of the save.
 */
export function isOwnerGone(spoolPath: string): boolean {
  const folder = dirname(spoolPath);
  const prefix = OWNER_NAME.exec(`${basename(spoolPath)}-alive`)?.[1];
  const owners = namesIn(folder)
    .filter((name) => prefix === OWNER_NAME.exec(name)?.[1]);
  return prefix !== undefined && owners.length > 0 && isOwnDisk(folder) &&
    owners.every((name) => isAbandoned(join(folder, name)));
}

/** Lists a folder; an empty list where that is not possible. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // Where no file could be made either, and that was thrown.
  }
}

/** Whether a file is there that nobody has open for writing. */
function isAbandoned(path: string): boolean {
  if (posix === undefined || !isFile(path)) return false;
  const flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  const descriptor = posix.open(bytesOf(path), flags, 0);
  if (descriptor < 0) return false;
  const isGiven = posix.fcntl(descriptor, F_SETLEASE, F_RDLCK) === 0;
  if (isGiven) posix.fcntl(descriptor, F_SETLEASE, F_UNLCK);
  posix.close(descriptor);
  return isGiven;
}

function isFile(path: string): boolean {
  try {
    return lstatSync(path).isFile();
  } catch {
    return false;
  }
}

function isOwnDisk(folder: string): boolean {
  if (posix === undefined) return false;
  const flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  const descriptor = posix.open(bytesOf(folder), flags, 0);
  if (descriptor < 0) return false;
  const type = posix.fsType(descriptor);
  posix.close(descriptor);
  return OWN_TYPES.has(type);
}

function bytesOf(path: string): Uint8Array {
  return new TextEncoder().encode(`${path}\0`);
}
