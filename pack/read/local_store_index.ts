import { INDEX_PAGE_SIZE } from "../index/index_table.ts";
import type { PageRequest } from "../location.ts";
import type { ObjectIndex } from "../index/object_index.ts";
import { StoreIndex } from "../index/store_index.ts";
import type { ReadStore } from "@snap/store";
import type { FileRanges } from "../ranges/open_file_ranges.ts";

/** The index of a store whose tables are files: a page costs a read, and no wait. */
export class LocalStoreIndex extends StoreIndex {
  readonly #files: FileRanges;
  readonly #page = new Uint8Array(INDEX_PAGE_SIZE);

  /**
   * Constructs a new instance.
   *
   * @param index The index.
   * @param store Its store.
   * @param files The files of its tables.
   * @param shared An index of the same store, which builds damaged tables again, if any does.
   */
  constructor(
    index: ObjectIndex,
    store: ReadStore,
    files: FileRanges,
    shared?: StoreIndex,
  ) {
    super(index, store, shared && { shared });
    this.#files = files;
  }

  /** @inheritDoc */
  protected override readPage(request: PageRequest): Uint8Array {
    this.#files.readAt(request.name, request.offset, this.#page);
    return this.#page;
  }
}
