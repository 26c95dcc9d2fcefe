/**
 * User and group names of a machine and their numbers.
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */

/** The files that hold the names; empty where there are none. */
export interface OwnerFiles {
  /** Content of `/etc/passwd`. */
  readonly passwd: Uint8Array;
  /** Content of `/etc/group`. */
  readonly group: Uint8Array;
}

/** User and group names of this machine and their numbers. */
export class Owners {
  readonly #users: NameTable;
  readonly #groups: NameTable;

  /**
   * Reads the names.
   *
   * @param files The files that hold them; without, there are none, and numbers are what they are.
   */
  constructor({ passwd, group }: OwnerFiles = NO_FILES) {
    this.#users = new NameTable(passwd);
    this.#groups = new NameTable(group);
  }

  /**
   * Name of a user.
   *
   * @returns The name as bytes; empty if the number has none.
   */
  userName(uid: number): Uint8Array {
    return this.#users.names.get(uid) ?? NO_NAME;
  }

  /**
   * Name of a group.
   *
   * @returns The name as bytes; empty if the number has none.
   */
  groupName(gid: number): Uint8Array {
    return this.#groups.names.get(gid) ?? NO_NAME;
  }

  /**
   * Number of a user on this machine.
   *
   * @param name Name at the time of the save; may be empty.
   * @param uid Number at the time of the save, taken where the name is not known here.
   */
  userId(name: Uint8Array, uid: number): number {
    return this.#users.find(name, uid);
  }

  /**
   * Number of a group on this machine.
   *
   * @param name Name at the time of the save; may be empty.
   * @param gid Number at the time of the save, taken where the name is not known here.
   */
  groupId(name: Uint8Array, gid: number): number {
    return this.#groups.find(name, gid);
  }
}

const NO_NAME: Uint8Array = new Uint8Array(0);
const NO_FILES: OwnerFiles = { passwd: NO_NAME, group: NO_NAME };
/** The longest user or group name that is kept. */
const NAME_SIZE_MAX = 255;
const ID_DIGITS_MAX = 10;
const COLON = 0x3a;
const LINE_FEED = 0x0a;

/** Lines of `name:password:number:...`; of two lines with one number or name the first counts. */
class NameTable {
  readonly names: Map<number, Uint8Array> = new Map();
  readonly #ids: Map<string, number> = new Map();

  constructor(bytes: Uint8Array) {
    for (let start = 0; start < bytes.length;) {
      let end = bytes.indexOf(LINE_FEED, start);
      if (end < 0) end = bytes.length;
      this.#add(bytes.subarray(start, end));
      start = end + 1;
    }
  }

  #add(line: Uint8Array): void {
    const nameEnd = line.indexOf(COLON);
    if (nameEnd <= 0 || nameEnd > NAME_SIZE_MAX) return;
    const idStart = line.indexOf(COLON, nameEnd + 1) + 1;
    const idEnd = idStart === 0 ? -1 : line.indexOf(COLON, idStart);
    if (idEnd < 0) return;
    const digits = toText(
      line.subarray(idStart, Math.min(idEnd, idStart + ID_DIGITS_MAX + 1)),
    );
    if (!/^[0-9]{1,10}$/.test(digits)) return;
    const id = Number(digits);
    const name = line.slice(0, nameEnd);
    if (!this.names.has(id)) this.names.set(id, name);
    const key = toText(name);
    if (!this.#ids.has(key)) this.#ids.set(key, id);
  }

  find(name: Uint8Array, id: number): number {
    return name.length === 0 ? id : this.#ids.get(toText(name)) ?? id;
  }
}

function toText(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
