/**
 * A set of packs with their sizes: those that a store holds.
 *
 * @module
 */
import { checkBytes, hexOf } from "@snap/hash";
import { type ReadStore, StoreError, type StoreOptions } from "@snap/store";
import { compareIds, getU32, ID_SIZE, setU32 } from "../bytes.ts";
import { sortRows } from "../sort_rows.ts";
import { PACK_PREFIX, packIdOf, packName } from "../file_name.ts";

const ROW_SIZE = ID_SIZE + 4;

/**
 * A set of packs with their sizes, as bytes that may be posted to a worker or
 * shared: 36 for each.
 */
export class PackSet {
  /** Rows of id and size, ascending by id. */
  readonly bytes: Uint8Array;

  /**
   * Makes a set, empty or with the packs of another.
   *
   * @param bytes Bytes of another set
   */
  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.bytes = bytes;
  }

  /**
   * Makes a set.
   *
   * @param packs The packs, in any order
   * @returns The set
   */
  static from(
    packs: Iterable<{ readonly id: Uint8Array; readonly size: number }>,
  ): PackSet {
    const rows = new PackRows();
    for (const pack of packs) rows.add(pack.id, pack.size);
    return rows.build();
  }

  /** Number of packs. */
  get count(): number {
    return this.bytes.length / ROW_SIZE;
  }

  /**
   * Lists the packs.
   *
   * @returns Id, name in the store and size of each, ascending by id
   */
  packs(): {
    readonly id: Uint8Array;
    readonly name: string;
    readonly size: number;
  }[] {
    return Array.from({ length: this.count }, (_, row) => {
      const at = row * ROW_SIZE;
      const id = this.bytes.subarray(at, at + ID_SIZE);
      const size = getU32(this.bytes, at + ID_SIZE);
      return { id, name: packName(id), size };
    });
  }

  /**
   * Leaves packs out.
   *
   * @param ids Their ids, 64 hex digits each
   * @returns This set, if it has none of them, else another without them
   */
  without(ids: ReadonlySet<string>): PackSet {
    if (ids.size === 0) return this;
    const packs = this.packs();
    const left = packs.filter(({ id }) => !ids.has(hexOf(id)));
    return left.length === packs.length ? this : PackSet.from(left);
  }

  /**
   * Finds the size of a pack.
   *
   * @param ids Bytes with its id
   * @param idStart Where its 32 bytes begin
   * @returns Its size in bytes, -1 where the set does not have it
   */
  sizeOf(ids: Uint8Array, idStart: number): number {
    checkBytes(ids, "id");
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const order = compareIds(this.bytes, middle * ROW_SIZE, ids, idStart);
      if (order === 0) return getU32(this.bytes, middle * ROW_SIZE + ID_SIZE);
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}

/**
 * Lists the packs of a store. Names that are not those of packs are left out.
 *
 * @param store The store
 * @param options What ends the wait
 * @returns The packs
 */
export async function listPacks(
  store: ReadStore,
  options: StoreOptions = {},
): Promise<PackSet> {
  const rows = new PackRows();
  for await (const batch of store.list(PACK_PREFIX, options)) {
    for (const { name, size } of batch) {
      const id = packIdOf(name);
      if (id !== undefined) rows.add(id, size);
    }
  }
  return rows.build();
}

/**
 * Tells whether an error says that a store has no list of its packs. A web server has
 * none: what is there can be asked only by name.
 *
 * @param error What listing them threw
 * @returns Whether the store can be read all the same
 */
export function hasNoPackList(error: unknown): boolean {
  return error instanceof StoreError && error.code === "EROFS" &&
    error.action === "list";
}

class PackRows {
  #bytes = new Uint8Array(ROW_SIZE * 64);
  #count = 0;

  add(id: Uint8Array, size: number): void {
    checkBytes(id, "id");
    const start = this.#count++ * ROW_SIZE;
    if (start === this.#bytes.length) {
      const larger = new Uint8Array(start * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(id, start);
    // A size that no pack has: no row is good for it.
    setU32(this.#bytes, start + ID_SIZE, Math.min(size, 0xffffffff));
  }

  build(): PackSet {
    const order = sortRows(this.#bytes, this.#count, ROW_SIZE);
    const sorted = new Uint8Array(this.#count * ROW_SIZE);
    for (let i = 0; i < order.length; i++) {
      const start = order[i] * ROW_SIZE;
      sorted.set(this.#bytes.subarray(start, start + ROW_SIZE), i * ROW_SIZE);
    }
    return new PackSet(sorted);
  }
}
