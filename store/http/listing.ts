/**
 * The listing of a store in a folder, for web servers that know nothing of stores.
 *
 * @module
 */
import { storeFailure } from "../file/store_failure.ts";
import { nodeModule } from "../node_module.ts";
import { DocumentSyntaxError, NotFoundError } from "../errors.ts";
import type { FileStore } from "../file/file_store.ts";
import type { StoreEntry, StoreOptions } from "../store.ts";
import {
  decodeListing,
  encodeListing,
  type Listing,
  LISTING_NAME,
  type ListingPage,
  PACKS_PREFIX,
  pageNameOf,
  PAGES_PREFIX,
} from "./listing_document.ts";

const RECORDS_PREFIX = "snapshots/";
/** Names of these become more and more: older ones go into pages. */
const PAGED_PREFIXES = [RECORDS_PREFIX, "tags/", "forgotten/"] as const;
/** How many names of each prefix stay in the listing, and how many a page has. */
const PAGE_COUNT = 1000;
/** How long a page that no listing names stays for those who read an older one. */
const PAGE_KEPT_MS = 24 * 60 * 60 * 1000;
const NO_SAVE_ID = "0".repeat(32);

/** Options of {@link writeListing}. */
export interface WriteListingOptions extends StoreOptions {
  /** The time in milliseconds since 1970, by which old pages go. Default: now. */
  readonly nowMs?: number;
}

/**
 * Writes `listing` anew, so that any web server can serve the folder. It names
 * all there is but packs, the names that came last first: 1,000 to 1,999 records,
 * as many tag entries and as many forgotten records; the others are in pages, which
 * do not change.
 *
 * It may lag behind the store, and never leads it: what it names was there.
 *
 * @example A listing of a new store
 * ```ts
 * import { openFileStore } from "@snap/store/file";
 * import { writeListing } from "@snap/store/http";
 * import { initStore } from "@snap/store/format";
 * import { strictEqual } from "node:assert/strict";
 * import { mkdtempSync, rmSync } from "node:fs";
 *
 * const folder = mkdtempSync("/tmp/snap-example-");
 * const store = await openFileStore(folder, { create: true });
 * await initStore(store);
 * strictEqual(await writeListing(store), 1);
 * rmSync(folder, { recursive: true });
 * ```
 *
 * @param store The store.
 * @param options A signal.
 * @returns How many names it has, those in its pages too.
 * @throws {StoreError} If the store fails.
 */
export async function writeListing(
  store: FileStore,
  options: WriteListingOptions = {},
): Promise<number> {
  const before = await readOwn(store, LISTING_NAME, options);
  const present = await listPresent(store, options);
  const count = present.size;
  const files: StoreEntry[] = [];
  const pages: ListingPage[] = [];
  for (const prefix of PAGED_PREFIXES) {
    const kept = await keepPages(store, { before, present, prefix, options });
    const rest = takeNewestFirst(present, prefix, [
      ...before?.files ?? [],
      ...kept.loose,
    ]);
    const made: ListingPage[] = [];
    while (rest.length >= 2 * PAGE_COUNT) {
      const page = rest.splice(rest.length - PAGE_COUNT);
      made.unshift(await createPage(store, prefix, page, options));
    }
    files.push(...rest);
    pages.push(...made, ...kept.pages);
  }
  files.unshift(...takeNewestFirst(present, "", []));
  await replace(store, encodeListing({ files, pages }));
  const named = new Set(
    [...pages, ...before?.pages ?? []].map(({ name }) => name),
  );
  await removePages(store, named, options);
  return count;
}

/**
 * The sizes of all files that a listing names. Records come first, as a record
 * without the mark that makes it void would count.
 */
async function listPresent(
  store: FileStore,
  options: StoreOptions,
): Promise<Map<string, number>> {
  const present = new Map<string, number>();
  for (const prefix of [RECORDS_PREFIX, ""]) {
    for await (const batch of store.list(prefix, options)) {
      for (const { name, size } of batch) {
        const isLate = prefix === "" && name.startsWith(RECORDS_PREFIX);
        if (isListed(name) && !isLate) present.set(name, size);
      }
    }
  }
  return present;
}

function isListed(name: string): boolean {
  return name !== LISTING_NAME && !name.startsWith(PACKS_PREFIX) &&
    !name.startsWith(PAGES_PREFIX);
}

/**
 * The pages all of whose names are still there, which are taken out of
 * `present`; the names of the others are loose.
 */
async function keepPages(
  store: FileStore,
  { before, present, prefix, options }: {
    before: Listing | undefined;
    present: Map<string, number>;
    prefix: string;
    options: StoreOptions;
  },
): Promise<{ pages: ListingPage[]; loose: StoreEntry[] }> {
  const pages: ListingPage[] = [];
  const loose: StoreEntry[] = [];
  for (const page of before?.pages ?? []) {
    if (page.prefix !== prefix) continue;
    const content = await readOwn(store, page.name, options);
    if (content === undefined) continue;
    const { files } = content;
    if (files.every(({ name, size }) => present.get(name) === size)) {
      pages.push(page);
      for (const { name } of files) present.delete(name);
    } else loose.push(...files);
  }
  return { pages, loose };
}

/** Takes the names with a prefix out of `present`: first those that no order knows. */
function takeNewestFirst(
  present: Map<string, number>,
  prefix: string,
  order: readonly StoreEntry[],
): StoreEntry[] {
  const known: StoreEntry[] = [];
  for (const { name } of order) {
    const size = present.get(name);
    if (size === undefined || !name.startsWith(prefix)) continue;
    known.push({ name, size });
    present.delete(name);
  }
  const others = [...present].filter(([name]) => name.startsWith(prefix))
    .map(([name, size]) => ({ name, size }))
    .sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name } of others) present.delete(name);
  return [...others, ...known];
}

async function createPage(
  store: FileStore,
  prefix: string,
  files: readonly StoreEntry[],
  options: StoreOptions,
): Promise<ListingPage> {
  const bytes = encodeListing({ files, pages: [] });
  const name = pageNameOf(bytes);
  await store.create(name, bytes, options);
  return { name, prefix };
}

/** A listing or a page that was written here; undefined if it is absent or damaged. */
async function readOwn(
  store: FileStore,
  name: string,
  options: StoreOptions,
): Promise<Listing | undefined> {
  const { signal } = options;
  try {
    return decodeListing(
      name,
      await store.read(name, signal === undefined ? {} : { signal }),
    );
  } catch (error) {
    const isNone = error instanceof NotFoundError ||
      error instanceof DocumentSyntaxError;
    if (isNone) return undefined;
    throw error;
  }
}

/** Puts the new listing in the place of the old one, in one step. */
async function replace(store: FileStore, bytes: Uint8Array): Promise<void> {
  const { open, rename, rm } = nodeModule("node:fs/promises");
  const temporary = await store.spoolPath(NO_SAVE_ID);
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, store.localPath(LISTING_NAME));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw storeFailure("create", { storeName: LISTING_NAME }, error);
  }
  await store.sync([]);
}

async function removePages(
  store: FileStore,
  named: ReadonlySet<string>,
  { nowMs = Date.now(), ...options }: WriteListingOptions,
): Promise<void> {
  const { stat } = nodeModule("node:fs/promises");
  for await (const batch of store.list(PAGES_PREFIX, options)) {
    for (const { name } of batch) {
      if (named.has(name)) continue;
      const { mtimeMs } = await stat(store.localPath(name))
        .catch(() => ({ mtimeMs: Infinity }));
      if (nowMs - mtimeMs > PAGE_KEPT_MS) await store.remove(name, options);
    }
  }
}
