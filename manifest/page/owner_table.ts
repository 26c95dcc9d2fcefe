import { compareRuns } from "../bytes.ts";

/** Owners that are compared one by one before a table of texts is used. */
const LINEAR_MAX = 8;

function ownerKey(
  uid: number,
  gid: number,
  user: Uint8Array,
  group: Uint8Array,
): string {
  return `${uid}:${gid}:${user.join()}:${group.join()}`;
}

/** Numbers for owners: each (uid, gid, user name, group name) once, in the order they came. */
export class OwnerTable {
  /** User ids, by number. */
  readonly uids: number[] = [];
  /** Group ids, by number. */
  readonly gids: number[] = [];
  /** User names, by number. */
  readonly userNames: Uint8Array[] = [];
  /** Group names, by number. */
  readonly groupNames: Uint8Array[] = [];
  readonly #numbers: Map<string, number> = new Map();
  #last = 0;

  /** How many owners there are. */
  get count(): number {
    return this.uids.length;
  }

  /** Returns the number of an owner, a new one if it did not come before. Names are copied. */
  intern(
    uid: number,
    gid: number,
    userName: Uint8Array,
    groupName: Uint8Array,
  ): number {
    if (this.#is(this.#last, uid, gid, userName, groupName)) return this.#last;
    this.#last = this.#find(uid, gid, userName, groupName);
    return this.#last;
  }

  #find(
    uid: number,
    gid: number,
    userName: Uint8Array,
    groupName: Uint8Array,
  ): number {
    const count = this.uids.length;
    for (let owner = 0; owner < count && owner < LINEAR_MAX; owner++) {
      if (this.#is(owner, uid, gid, userName, groupName)) return owner;
    }
    if (count >= LINEAR_MAX) {
      const key = ownerKey(uid, gid, userName, groupName);
      const found = this.#numbers.get(key);
      if (found !== undefined) return found;
      this.#numbers.set(key, count);
    }
    this.uids.push(uid);
    this.gids.push(gid);
    this.userNames.push(userName.slice());
    this.groupNames.push(groupName.slice());
    return count;
  }

  #is(
    owner: number,
    uid: number,
    gid: number,
    user: Uint8Array,
    group: Uint8Array,
  ): boolean {
    if (
      owner >= this.uids.length || this.uids[owner] !== uid ||
      this.gids[owner] !== gid
    ) {
      return false;
    }
    const ownUser = this.userNames[owner];
    const ownGroup = this.groupNames[owner];
    return compareRuns(ownUser, 0, ownUser.length, user, 0, user.length) ===
        0 &&
      compareRuns(ownGroup, 0, ownGroup.length, group, 0, group.length) === 0;
  }
}
