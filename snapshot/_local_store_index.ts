import { INDEX_PAGE_SIZE } from "@snap/pack/index-table";
import type { PageRequest } from "@snap/pack/location";
import type { ObjectIndex } from "@snap/pack/object-index";
import { StoreIndex } from "@snap/pack/open-index";
import type { ReadStore } from "@snap/store";
import type { FileRanges } from "./_file_ranges.ts";

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
