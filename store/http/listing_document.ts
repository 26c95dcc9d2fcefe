/** The bytes of `listing` and of its pages: docs/FORMAT.md. */
import { hexOf } from "@snap/hash";
import { CHECKSUM_SIZE, encodeDocument } from "../format/document.ts";
import { decodeNamed } from "../format/document_form.ts";
import { SAVE_ID_SIZE } from "../header.ts";
import type { StoreEntry } from "../store.ts";

/** The name of the listing: the only file of a store that is ever rewritten. */
export const LISTING_NAME = "listing";
/** The beginning of the names of its pages. */
export const PAGES_PREFIX = "listings/";
/** The names that it leaves out: an index says which packs there are. */
export const PACKS_PREFIX = "packs/";

/** A page with older names. */
export interface ListingPage {
  readonly name: string;
  /** The beginning of all names in it. */
  readonly prefix: string;
}

/** Fields of a listing. */
export interface Listing {
  /** Names, those that came last first. */
  readonly files: readonly StoreEntry[];
  readonly pages: readonly ListingPage[];
}

/** Writes a listing, or a page, which has no pages. */
export function encodeListing({ files, pages }: Listing): Uint8Array {
  return encodeDocument({
    kind: "LIST",
    saveId: new Uint8Array(SAVE_ID_SIZE),
    body: {
      files: files.map(({ name, size }) => [name, size]),
      pages: pages.map(({ name, prefix }) => [name, prefix]),
    },
  });
}

/** Reads a listing or a page. */
export function decodeListing(name: string, bytes: Uint8Array): Listing {
  // The form of the document says that these are pairs.
  const { files, pages } = decodeNamed(name, bytes).body as {
    files: [string, number][];
    pages: [string, string][];
  };
  return {
    files: files.map(([name, size]) => ({ name, size })),
    pages: pages.map(([name, prefix]) => ({ name, prefix })),
  };
}

/** The name of a page: the checksum at its end. */
export function pageNameOf(bytes: Uint8Array): string {
  return PAGES_PREFIX + hexOf(bytes.subarray(bytes.length - CHECKSUM_SIZE));
}
