import { idFromBytes, idToBytes } from "@snap/hash";
import { AttributePage, Tree } from "@snap/manifest";
import { formatTime } from "@snap/manifest/time";
import { ObjectKind, PackRole } from "@snap/pack";
import { RecipeNode } from "@snap/pack/recipe";
import { Pacer } from "@snap/posix/pacer";
import type { Snapshots } from "@snap/snapshot";
import { IdSet } from "@snap/snapshot/reach";
import type { NamedRecord, RecordFile } from "@snap/snapshot/records";
import type { StoreOptions, WriteStore } from "@snap/store";
import {
  type CarefulReader,
  isLoss,
  openCarefulReader,
  readPlaces,
} from "./careful_reader.ts";

const { tree: treeKind, attributes, recipe } = ObjectKind;
/** Pages that are kept before those are forgotten that others have named. */
const PAGES_FIRST = 1 << 16;

/** Progress of a search for trees. */
export interface RecoverProgress {
  /** Packs that were read. */
  readonly packCount: number;
  /** Packs with trees. */
  readonly packTotal: number;
}

/** Options of {@linkcode RootSearch}. */
export interface RootSearchOptions extends StoreOptions {
  /** Whether packs that no index table names count, too. */
  readonly unfinished?: boolean;
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number;
  /** Called after each pack with trees. */
  readonly onProgress?: (progress: RecoverProgress) => void;
}

/** The root of a snapshot without a record. */
export interface FoundRoot {
  readonly tree: NamedRecord["tree"];
  readonly page: NamedRecord["page"];
  readonly time: string;
  readonly entryCount: number;
}

/** Reads all attribute pages of a store, which name trees and each other. */
export class RootSearch {
  readonly #snapshots: Snapshots<WriteStore>;
  readonly #options: RootSearchOptions;
  readonly #storeOptions: StoreOptions;
  readonly #pacer: Pacer;
  /** Pages that are known or that others name. */
  readonly #named = new IdSet();
  /** Trees whose records are damaged. */
  readonly #wanted: ReadonlySet<string>;
  /** Pages that no other named when they were last looked through. */
  #pages: Uint8Array[] = [];
  #pagesMax = PAGES_FIRST;
  /** Pages of trees whose records are damaged. */
  readonly #wantedPages: Uint8Array[] = [];

  constructor(
    snapshots: Snapshots<WriteStore>,
    { records, damaged }: {
      readonly records: readonly NamedRecord[];
      readonly damaged: readonly RecordFile[];
    },
    options: RootSearchOptions,
  ) {
    this.#snapshots = snapshots;
    this.#options = options;
    this.#storeOptions = { signal: options.signal };
    this.#pacer = new Pacer(this.#storeOptions);
    for (const { page } of records) this.#name(idToBytes(page));
    const known = new Set<string>(records.map(({ tree }) => tree));
    this.#wanted = new Set(
      damaged.map(({ tree }) => tree as string).filter((id) => !known.has(id)),
    );
  }

  async run(): Promise<{ packCount: number; roots: FoundRoot[] }> {
    const { store, hasher } = this.#snapshots;
    const how = { hasher, ...this.#storeOptions };
    const careful = await openCarefulReader(store, how);
    try {
      const packs = await this.#treePacks(careful);
      for (const [i, name] of packs.entries()) {
        await this.#readPack(name, careful);
        const packCount = i + 1, packTotal = packs.length;
        this.#options.onProgress?.({ packCount, packTotal });
      }
      const roots: FoundRoot[] = [];
      const seen = new IdSet();
      const left = this.#pages.filter((one) => !this.#isNamed(one));
      for (const pageId of [...this.#wantedPages, ...left]) {
        if (!seen.add(pageId, 0, 0, attributes)) continue;
        const root = await this.#rootOf(pageId, careful);
        if (root !== undefined) roots.push(root);
      }
      roots.sort((a, b) => a.time < b.time ? 1 : a.time > b.time ? -1 : 0);
      return { packCount: packs.length, roots };
    } finally {
      await careful[Symbol.asyncDispose]();
    }
  }

  /** Names of packs with trees that the index tells of, or of all. */
  async #treePacks({ reader, present }: CarefulReader): Promise<string[]> {
    const { unfinished = false } = this.#options;
    const unnamed = new Set(reader.index.unnamed.packs.map(({ name }) => name));
    const names = new Set<string>();
    for await (const batch of reader.index.packs(this.#storeOptions)) {
      for (const { packId, packName, role } of batch) {
        if (role !== PackRole.trees || present.sizeOf(packId, 0) < 0) continue;
        if (unfinished || !unnamed.has(packName)) names.add(packName);
      }
    }
    return [...names].sort();
  }

  async #readPack(
    name: string,
    { reader, present }: CarefulReader,
  ): Promise<void> {
    const { store } = this.#snapshots;
    const options = this.#storeOptions;
    const file = present.packs().find((pack) => pack.name === name)!;
    const places = await readPlaces(store, file, reader, options);
    if (places === undefined) return;
    const { table } = places;
    // In the order of frames, so that each is decoded once.
    const rows = Array.from({ length: table.objectCount }, (_, row) => row)
      .sort((a, b) => table.frame(a) - table.frame(b));
    for (const row of rows) {
      const kind = table.kind(row);
      if (kind !== attributes && kind !== recipe) continue;
      const id = table.idBytes(row).slice();
      if (kind === recipe && !await this.#isPage(id, reader)) continue;
      await this.#readPage(id, reader);
    }
  }

  /** Whether a recipe is that of a large page. */
  async #isPage(
    id: Uint8Array,
    reader: CarefulReader["reader"],
  ): Promise<boolean> {
    return await this.#read(async () => {
      const node = await reader.readStored(id, recipe, this.#storeOptions);
      if (node === undefined) return false;
      const { isRoot, objectKind } = RecipeNode.decode(node, reader.hasher);
      return isRoot && objectKind === attributes;
    }) ?? false;
  }

  /** Takes note of the pages that a page names, and of itself. */
  async #readPage(
    id: Uint8Array,
    reader: CarefulReader["reader"],
  ): Promise<void> {
    await this.#read(async () => {
      const options = this.#storeOptions;
      const bytes = await reader.readObject(id, attributes, options);
      await this.#pacer.yield(bytes.length);
      const page = AttributePage.decode(bytes);
      for (let i = 0; i < page.directories; i++) {
        this.#name(page.pageIdBytes(i));
      }
      if (this.#wanted.has(idFromBytes(page.treeId))) {
        this.#wantedPages.push(id);
      } else this.#addPage(id);
    });
  }

  /** Keeps a page that may be that of a root; forgets those that others have named meanwhile. */
  #addPage(id: Uint8Array): void {
    if (this.#isNamed(id)) return;
    this.#pages.push(id);
    if (this.#pages.length < this.#pagesMax) return;
    this.#pages = this.#pages.filter((one) => !this.#isNamed(one));
    this.#pagesMax = Math.max(PAGES_FIRST, 2 * this.#pages.length);
  }

  #isNamed(pageId: Uint8Array): boolean {
    return this.#named.has(pageId, 0, 0, attributes);
  }

  #name(pageId: Uint8Array): void {
    this.#named.add(pageId, 0, 0, attributes);
  }

  /** What a page is the root of; undefined if that is empty or lost. */
  async #rootOf(
    pageId: Uint8Array,
    { reader }: CarefulReader,
  ): Promise<FoundRoot | undefined> {
    return await this.#read(async () => {
      const options = this.#storeOptions;
      const bytes = await reader.readObject(pageId, attributes, options);
      const page = AttributePage.decode(bytes);
      const treeId = page.treeId.slice();
      const tree = idFromBytes(treeId);
      const treeBytes = await reader.readObject(treeId, treeKind, options);
      const { count: entryCount } = Tree.decode(treeBytes);
      if (entryCount === 0) return undefined;
      const { now = Date.now } = this.#options;
      const time = lastChange(page, now());
      return { tree, page: idFromBytes(pageId), time, entryCount };
    });
  }

  /** Reads what may be lost; undefined if it is. */
  async #read<T>(read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (!isLoss(error)) throw error;
      return undefined;
    }
  }
}

/** When something in a directory changed last, as far as its page tells, and not later than now. */
function lastChange(page: AttributePage, nowMs: number): string {
  const nowSec = Math.floor(nowMs / 1000), nowNs = nowMs % 1000 * 1_000_000;
  let sec = 0, ns = 0;
  const take = (otherSec: number, otherNs: number): void => {
    const isLater = otherSec > sec || otherSec === sec && otherNs > ns;
    const isPast = otherSec < nowSec || otherSec === nowSec && otherNs <= nowNs;
    if (!isLater || !isPast) return;
    sec = otherSec;
    ns = otherNs;
  };
  for (let row = 0; row < page.rows; row++) {
    take(page.ctimeSec(row), page.ctimeNs(row));
  }
  return formatTime(sec, ns);
}
