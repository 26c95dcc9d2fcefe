/**
 * Owners in attribute pages, as they are on this machine.
 *
 * @module
 */
import type { AttributePage } from "./attribute_page.ts";

/** Numbers of names; the number that is given where a name has none. */
export interface OwnerIds {
  /**
   * Number of a user.
   *
   * @param name Its name, empty if it is not known
   * @param uid Its number where the page was made
   */
  userId(name: Uint8Array, uid: number): number;
  /**
   * Number of a group.
   *
   * @param name Its name, empty if it is not known
   * @param gid Its number where the page was made
   */
  groupId(name: Uint8Array, gid: number): number;
}

/** Gives the owners of rows their numbers on this machine; those of the page last asked for are kept. */
export class PageOwners {
  readonly #ids: OwnerIds;
  #page: AttributePage | undefined;
  #uids: number[] = [];
  #gids: number[] = [];

  /** Makes an empty one. */
  constructor(ids: OwnerIds) {
    this.#ids = ids;
  }

  /**
   * User of a row.
   *
   * @param page The page
   * @param row The row
   * @returns The number on this machine
   */
  uid(page: AttributePage, row: number): number {
    if (page !== this.#page) this.#begin(page);
    return this.#uids[page.owner(row)] ??= this.#ids.userId(
      page.userName(row),
      page.uid(row),
    );
  }

  /**
   * Group of a row.
   *
   * @param page The page
   * @param row The row
   * @returns The number on this machine
   */
  gid(page: AttributePage, row: number): number {
    if (page !== this.#page) this.#begin(page);
    return this.#gids[page.owner(row)] ??= this.#ids.groupId(
      page.groupName(row),
      page.gid(row),
    );
  }

  #begin(page: AttributePage): void {
    this.#page = page;
    this.#uids = [];
    this.#gids = [];
  }
}
