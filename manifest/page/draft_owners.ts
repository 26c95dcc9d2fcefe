/**
 * The owners that the drafts of many pages share.
 *
 * @module
 */
import type { KeptRows } from "../tree/kept_rows.ts";
import { OwnerTable } from "./owner_table.ts";
import { OWNER_SIZE } from "./page_layout.ts";
import type { WritableBytes } from "../random_bytes.ts";

/** Numbers owners for the drafts of attribute pages. */
export class DraftOwners {
  readonly #table = new OwnerTable();

  /** How many owners there are. */
  get count(): number {
    return this.#table.count;
  }

  /**
   * Numbers an owner: the same (uid, gid, user name, group name), the same number.
   *
   * @param uid User id.
   * @param gid Group id.
   * @param userName User name, empty when it is not known.
   * @param groupName Group name, empty when it is not known.
   */
  intern(
    uid: number,
    gid: number,
    userName: Uint8Array,
    groupName: Uint8Array,
  ): number {
    return this.#table.intern(uid, gid, userName, groupName);
  }

  /**
   * Replaces numbers by those of a page: owners in the order of their first row.
   *
   * @param cells Where the numbers are.
   * @param start Offset of that of row 0.
   *
   * @internal
   */
  number(cells: WritableBytes, start: number, rows: KeptRows): PageOwnerBytes {
    const numbers = new Map<number, number>();
    let last = -1, lastNumber = 0;
    rows.forEach((row) => {
      const at = start + 4 * row;
      const owner = cells.u32(at);
      if (owner !== last) {
        last = owner;
        lastNumber = numbers.get(owner) ?? numbers.size;
        numbers.set(owner, lastNumber);
      }
      cells.setU32(at, lastNumber);
    });
    return this.#encode([...numbers.keys()]);
  }

  #encode(used: readonly number[]): PageOwnerBytes {
    const { uids, gids, userNames, groupNames } = this.#table;
    let namesSize = 0;
    for (const owner of used) {
      namesSize += userNames[owner].length + groupNames[owner].length;
    }
    const names = OWNER_SIZE * used.length;
    const bytes = new Uint8Array(names + namesSize);
    const view = new DataView(bytes.buffer);
    let at = 0, end = 0;
    for (const owner of used) {
      bytes.set(userNames[owner], names + end);
      const userEnd = end + userNames[owner].length;
      bytes.set(groupNames[owner], names + userEnd);
      end = userEnd + groupNames[owner].length;
      view.setUint32(at, uids[owner], true);
      view.setUint32(at + 4, gids[owner], true);
      view.setUint32(at + 8, userEnd, true);
      view.setUint32(at + 12, end, true);
      at += OWNER_SIZE;
    }
    return { count: used.length, namesSize, bytes };
  }
}

/** The owners of one page, as they stand there. */
export interface PageOwnerBytes {
  /** How many owners. */
  readonly count: number;
  /** Bytes of their names. */
  readonly namesSize: number;
  /** Their numbers, then their names. */
  readonly bytes: Uint8Array;
}
