import { growU32 } from "./_columns.ts";
import { OwnerTable } from "./_owner_table.ts";
import { NO_OWNER } from "./_page_columns.ts";
import { OWNER_SIZE, type PageLayout } from "./_page_layout.ts";
import type { AttributePage } from "./attribute_page.ts";

const UNSEEN = 0xffff_ffff;
const OWNERS_KEPT_MAX = 65536;

/** The owners of one page, in the order of their first row. */
export interface OwnerOrder {
  /** Number in the page of each number in the table. */
  readonly numbers: Uint32Array;
  /** Number in the table of each number in the page. */
  readonly used: readonly number[];
  /** Size of all their names in bytes. */
  readonly namesSize: number;
}

/** The owners that a builder of pages knows, from page to page. */
export class PageOwners {
  #table: OwnerTable = new OwnerTable();
  #copiedPage: AttributePage | undefined;
  #copied: Uint32Array = new Uint32Array(0);

  /** How many owners are known. */
  get count(): number {
    return this.#table.count;
  }

  /** Forgets the page that was copied from, and the owners if they are many. */
  clear(): void {
    this.#copiedPage = undefined;
    if (this.#table.count > OWNERS_KEPT_MAX) this.#table = new OwnerTable();
  }

  /** Returns the number of an owner. */
  intern(
    uid: number,
    gid: number,
    userName: Uint8Array,
    groupName: Uint8Array,
  ): number {
    return this.#table.intern(uid, gid, userName, groupName);
  }

  /** Returns the number of the owner of a row of a page; each owner of a page is looked up once. */
  internFrom(page: AttributePage, row: number): number {
    if (this.#copiedPage !== page) {
      this.#copiedPage = page;
      this.#copied = growU32(this.#copied, page.owners);
      this.#copied.fill(UNSEEN, 0, page.owners);
    }
    const owner = page.owner(row);
    if (this.#copied[owner] === UNSEEN) {
      this.#copied[owner] = this.#table.intern(
        page.uid(row),
        page.gid(row),
        page.userName(row),
        page.groupName(row),
      );
    }
    return this.#copied[owner];
  }

  /** Finds the owners of the first `rows` rows of a column. */
  order(column: Uint32Array, rows: number): OwnerOrder {
    const numbers = new Uint32Array(this.#table.count).fill(UNSEEN);
    const used: number[] = [];
    let namesSize = 0;
    for (let row = 0; row < rows; row++) {
      const owner = column[row];
      if (owner === NO_OWNER) {
        throw new RangeError(
          `Cannot build attribute page as each row needs an owner: row ${row} has none`,
        );
      }
      if (numbers[owner] !== UNSEEN) continue;
      numbers[owner] = used.push(owner) - 1;
      namesSize += this.#table.userNames[owner].length +
        this.#table.groupNames[owner].length;
    }
    return { numbers, used, namesSize };
  }

  /** Writes the owners of a page. */
  write(
    bytes: Uint8Array,
    view: DataView,
    layout: PageLayout,
    used: readonly number[],
  ): void {
    const { uids, gids, userNames, groupNames } = this.#table;
    let at = layout.owners;
    let end = 0;
    for (const owner of used) {
      const userEnd = end + userNames[owner].length;
      bytes.set(userNames[owner], layout.ownerNames + end);
      bytes.set(groupNames[owner], layout.ownerNames + userEnd);
      end = userEnd + groupNames[owner].length;
      view.setUint32(at, uids[owner], true);
      view.setUint32(at + 4, gids[owner], true);
      view.setUint32(at + 8, userEnd, true);
      view.setUint32(at + 12, end, true);
      at += OWNER_SIZE;
    }
  }
}
