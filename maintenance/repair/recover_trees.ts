/**
 * Finds snapshots that no record names.
 *
 * @module
 */
import { ID_SIZE, idFromBytes, idToBytes } from "@snap/hash";
import { AttributePage, Tree } from "@snap/manifest";
import { formatTime } from "@snap/manifest/time";
import { ObjectKind, PackRole } from "@snap/pack";
import { RecipeNode } from "@snap/pack/recipe";
import type { RepairOptions } from "@snap/pack/write";
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
import { sampleOf, withMender } from "./mend_run.ts";
import type { LostEntries } from "./tree_mender.ts";

const { tree: treeKind, attributes, recipe } = ObjectKind;

/** Options of {@linkcode recoverTrees}. */
export interface RecoverTreesOptions extends RepairOptions {
  /** Ids of trees, or how they begin: only these; all that are found if left out. */
  readonly trees?: readonly string[];
  /**
   * Whether trees of saves that were killed count, too: of packs that no index table names.
   *
   * @default {false}
   */
  readonly unfinished?: boolean;
  /**
   * Whether nothing is written, and only told what would be.
   *
   * @default {false}
   */
  readonly dryRun?: boolean;
  /** The program that recovers, for the records. */
  readonly program?: string;
  /** Called after each pack with trees. */
  readonly onProgress?: (progress: RecoverProgress) => void;
}

/** Progress of {@linkcode recoverTrees}. */
export interface RecoverProgress {
  /** Packs that were read. */
  readonly packCount: number;
  /** Packs with trees. */
  readonly packTotal: number;
}

/** A tree that no record named. */
export interface RecoveredTree {
  /** The id of the tree. */
  readonly root: string;
  /** The id of what is left of it: the same if nothing is lost. */
  readonly tree: string;
  /** When something in its top directory changed last, RFC 3339: the save was not before. */
  readonly time: string;
  /** Entries of its top directory. */
  readonly entryCount: number;
  /** What is lost of it, and so is not in it. */
  readonly lost: LostEntries;
  /** Its record; undefined in a dry run. */
  readonly record?: NamedRecord;
}

/** Result of {@linkcode recoverTrees}. */
export interface RecoverTreesReport {
  /** Packs with trees that were read. */
  readonly packCount: number;
  /** The trees, those that changed last first. */
  readonly trees: readonly RecoveredTree[];
}

/**
 * Looks for trees that no record names and no other directory has, as the root of a
 * snapshot whose record is damaged or was forgotten, and writes a record of each:
 * without what is lost, which the record names as not read. Nothing is known of who
 * saved it, and when: its source is `recovered`, its time that of the last change in
 * the top directory.
 *
 * @param snapshots The store.
 * @param options Which trees, and whether anything is written.
 * @returns What was found and written.
 * @throws {StoreError} If the store fails.
 *
 * @example
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { recoverTrees } from "@snap/maintenance/repair";
 * import { openSnapshots } from "@snap/snapshot";
 * import { initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { strictEqual } from "node:assert/strict";
 *
 * const store = new MemoryStore();
 * await initStore(store, {});
 * await using snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * const { trees } = await recoverTrees(snapshots, { dryRun: true });
 * strictEqual(trees.length, 0);
 * ```
 */
export async function recoverTrees(
  snapshots: Snapshots<WriteStore>,
  options: RecoverTreesOptions = {},
): Promise<RecoverTreesReport> {
  const { signal, dryRun = false } = options;
  const damaged: RecordFile[] = [];
  const records = await snapshots.records({
    signal,
    onDamage: (file) => damaged.push(file),
  });
  const search = new RootSearch(snapshots, { records, damaged }, options);
  const { packCount, roots } = await search.run();
  const known = new Set<string>(records.map(({ tree, page }) => tree + page));
  const trees = await withMender(snapshots, options, async (run) => {
    const found = new Map<string, RecoveredTree & { ids: Uint8Array }>();
    for (const { tree: root, page: rootPage, time, entryCount } of roots) {
      const isWanted = options.trees?.some((start) => root.startsWith(start));
      if (isWanted === false) continue;
      const left = await run.mend({ tree: root, page: rootPage });
      if (left === undefined) continue;
      const { ids, lost } = left;
      const tree = idFromBytes(ids), page = idFromBytes(ids, ID_SIZE);
      const key = tree + page;
      if (known.has(key)) continue;
      // A run that was killed may have left what is left of another tree, which knows more.
      const isNews = lost.count > (found.get(key)?.lost.count ?? -1);
      if (isNews) found.set(key, { ids, root, tree, time, entryCount, lost });
    }
    await run.finish();
    const recovered: RecoveredTree[] = [];
    for (const { ids, ...tree } of found.values()) {
      const record = dryRun ? undefined : await run.write(ids, {
        ...{ time: tree.time, startTime: tree.time, host: "", user: "" },
        source: "recovered",
        unreadable: sampleOf(tree.lost),
        changed: { count: 0, first: [] },
        fidelity: tree.lost.attributeCount > 0 ? "reduced" : "full",
        program: options.program ?? "snap",
      });
      recovered.push({ ...tree, ...(record && { record }) });
    }
    return recovered;
  });
  return { packCount, trees };
}

/** The root of a snapshot without a record. */
interface FoundRoot {
  readonly tree: NamedRecord["tree"];
  readonly page: NamedRecord["page"];
  readonly time: string;
  readonly entryCount: number;
}

/** Reads all attribute pages of a store, which name trees and each other. */
class RootSearch {
  readonly #snapshots: Snapshots<WriteStore>;
  readonly #options: RecoverTreesOptions;
  readonly #storeOptions: StoreOptions;
  readonly #pacer: Pacer;
  /** Pages that are known or that others name. */
  readonly #named = new IdSet();
  /** Trees whose records are damaged. */
  readonly #wanted: ReadonlySet<string>;
  readonly #pages: Uint8Array[] = [];

  constructor(
    snapshots: Snapshots<WriteStore>,
    { records, damaged }: {
      readonly records: readonly NamedRecord[];
      readonly damaged: readonly RecordFile[];
    },
    options: RecoverTreesOptions,
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
    await using careful = await openCarefulReader(store, how);
    const packs = await this.#treePacks(careful);
    for (const [i, name] of packs.entries()) {
      await this.#readPack(name, careful);
      const packCount = i + 1, packTotal = packs.length;
      this.#options.onProgress?.({ packCount, packTotal });
    }
    const roots: FoundRoot[] = [];
    const seen = new IdSet();
    for (const pageId of this.#pages) {
      if (!seen.add(pageId, 0, 0, attributes)) continue;
      const root = await this.#rootOf(pageId, careful);
      if (root !== undefined) roots.push(root);
    }
    roots.sort((a, b) => a.time < b.time ? 1 : a.time > b.time ? -1 : 0);
    return { packCount: packs.length, roots };
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
      this.#pages.push(id);
    });
  }

  #name(pageId: Uint8Array): void {
    this.#named.add(pageId, 0, 0, attributes);
  }

  /** What a page is the root of; undefined if it is that of a directory of something else. */
  async #rootOf(
    pageId: Uint8Array,
    { reader }: CarefulReader,
  ): Promise<FoundRoot | undefined> {
    const isNamed = this.#named.has(pageId, 0, 0, attributes);
    if (isNamed && this.#wanted.size === 0) return undefined;
    return await this.#read(async () => {
      const options = this.#storeOptions;
      const bytes = await reader.readObject(pageId, attributes, options);
      const page = AttributePage.decode(bytes);
      const treeId = page.treeId.slice();
      const tree = idFromBytes(treeId);
      if (isNamed && !this.#wanted.has(tree)) return undefined;
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
