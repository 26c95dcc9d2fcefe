import { closeSync, openSync, readSync } from "node:fs";
import type { Hasher } from "@snap/hash";
import { parseCodec } from "@snap/pack/codecs";
import { packName } from "@snap/pack/file-name";
import { joinPacks } from "@snap/pack/join-packs";
import { PackRole } from "@snap/pack/object-kind";
import { PackTable } from "@snap/pack/pack-table";
import type { WriteStore } from "@snap/store";
import { writeIndexTables } from "./_index_files.ts";
import { type FinishedPackFile, PackFiles } from "./_pack_files.ts";
import type { StoreSettings } from "./settings.ts";
import { type LocalIndexFiles, removeQuietly } from "./_spool.ts";
import { spooling } from "./_spool_error.ts";

/** An index goes out with this many objects: their tables wait in memory. */
const INDEX_OBJECTS = 2 ** 18;
/** Packs of more objects than this are full, whatever their size. */
const SMALL_OBJECTS_MAX = 2 ** 14;
/** An index goes out at least this often, while there are new packs. */
const INDEX_MS = 5 * 60 * 1000;

/** What {@linkcode PackCollector} needs. */
export interface PackCollectorOptions {
  readonly store: WriteStore;
  readonly settings: StoreSettings;
  readonly hasher: Hasher;
  readonly saveId: Uint8Array;
  readonly random: (size: number) => Uint8Array;
  readonly now: () => number;
  /** An index goes out with this many bytes of packs, so that a killed save is not lost work. */
  readonly indexByteCount: number;
  /** The beginning of the paths of joined packs. */
  readonly spoolPath: string;
  /** The index tables that are there, to which new ones are added. */
  readonly index: LocalIndexFiles;
  readonly onError: (error: unknown) => void;
}

/**
 * What an index tells of: data packs; tree packs too, as all data packs of
 * theirs are in the store; and small tables that were there before.
 */
export type IndexScope = "data" | "all" | "last";

/** Takes finished packs into the store, and writes the index that tells of them. */
export class PackCollector {
  /** Bytes of packs and indexes that this save has added to the store. */
  storedByteCount = 0;
  readonly #options: PackCollectorOptions;
  readonly #adopting = new Set<Promise<void>>();
  readonly #small: FinishedPackFile[] = [];
  readonly #adopted: FinishedPackFile[] = [];
  #unindexedByteCount = 0;
  #unindexedObjectCount = 0;
  #indexCount = 0;
  #indexTime: number;
  #indexing: Promise<void> | undefined;

  /**
   * Constructs a new instance.
   *
   * @param options The store.
   */
  constructor(options: PackCollectorOptions) {
    this.#options = options;
    this.#indexTime = options.now();
  }

  /**
   * Takes a pack. One that is far from full waits for the end, to be joined.
   *
   * @param pack The pack.
   */
  add(pack: FinishedPackFile): void {
    const isSmall = pack.size < this.#options.settings.packSizeTarget / 4 &&
      pack.objectCount <= SMALL_OBJECTS_MAX;
    if (isSmall) {
      this.#small.push(pack);
    } else this.#adopt(pack);
  }

  /** Resolves when no more than a few packs are on their way into the store. */
  async settled(): Promise<void> {
    while (this.#adopting.size > 4) await Promise.race(this.#adopting);
    await this.#indexing;
  }

  /** Joins what is small, and waits until the store has all packs. */
  async finish(): Promise<void> {
    const small = this.#small.splice(0);
    for (const role of [PackRole.data, PackRole.trees]) {
      const packs = small.filter((pack) => pack.role === role);
      if (packs.length > 1) this.#join(packs);
      else for (const pack of packs) this.#adopt(pack);
    }
    await Promise.all(this.#adopting);
    await this.#indexing;
  }

  /**
   * Writes an index of the packs that none tells of yet.
   *
   * @param scope What else it tells of.
   */
  async writeIndex(scope: IndexScope): Promise<void> {
    const isDue = (pack: FinishedPackFile): boolean =>
      scope !== "data" || pack.role === PackRole.data;
    const packs = this.#adopted.filter(isDue);
    const rest = this.#adopted.filter((pack) => !isDue(pack));
    this.#adopted.length = 0;
    this.#adopted.push(...rest);
    this.#unindexedByteCount = this.#unindexedObjectCount = 0;
    this.#indexTime = this.#options.now();
    if (packs.length === 0) return;
    const tables = await writeIndexTables({
      ...this.#options,
      packs: packs.map((pack) => ({ ...pack, table: tableOf(pack) })),
      merge: scope === "last" ? this.#options.index.files : [],
      timeMs: this.#options.now(),
      spoolPath: `${this.#options.spoolPath}-index${this.#indexCount++}`,
    });
    for (const { size } of tables) this.storedByteCount += size;
    if (scope !== "last") await this.#options.index.add(tables);
  }

  /** Removes the files of packs that the store was not given. */
  discard(): void {
    for (const pack of this.#small) removeQuietly(pack.path);
    this.#small.length = 0;
  }

  #adopt(pack: FinishedPackFile): void {
    const adopting = this.#store(pack).catch(this.#options.onError)
      .finally(() => this.#adopting.delete(adopting));
    this.#adopting.add(adopting);
  }

  async #store(pack: FinishedPackFile): Promise<void> {
    await this.#options.store.adopt(packName(pack.id), pack.path);
    this.#adopted.push(pack);
    this.storedByteCount += pack.size;
    this.#unindexedByteCount += pack.size;
    this.#unindexedObjectCount += pack.objectCount;
    const { indexByteCount } = this.#options;
    const isDue = this.#unindexedByteCount >= indexByteCount ||
      this.#unindexedObjectCount >= INDEX_OBJECTS ||
      this.#options.now() - this.#indexTime >= INDEX_MS;
    if (isDue && this.#indexing === undefined) {
      this.#indexing = this.writeIndex("data")
        .catch(this.#options.onError)
        .finally(() => this.#indexing = undefined);
    }
  }

  #join(packs: readonly FinishedPackFile[]): void {
    const { settings, hasher, saveId, random, spoolPath } = this.#options;
    const role = packs[0].role;
    const files = new PackFiles({
      spoolPath: `${spoolPath}-join${role}`,
      role: role as PackRole,
      sizeTarget: settings.packSizeTarget,
      saveId,
      random,
      codec: parseCodec(settings.codec),
      hasher,
      onPack: (pack) => this.#adopt(pack),
    });
    try {
      for (const pack of packs) {
        spooling(pack.path, () => copyPack(pack, files));
      }
      files.finish();
    } catch (error) {
      files.discard();
      this.#small.push(...packs);
      throw error;
    }
    for (const pack of packs) removeQuietly(pack.path);
  }
}

function tableOf(pack: FinishedPackFile): PackTable {
  return PackTable.decode(pack.table, {
    tableOffset: pack.tableOffset,
    frameCount: pack.frameCount,
    objectCount: pack.objectCount,
  });
}

function copyPack(pack: FinishedPackFile, files: PackFiles): void {
  const descriptor = openSync(pack.path, "r");
  try {
    const readAt = (offset: number, out: Uint8Array): void => {
      const size = readSync(descriptor, out, 0, out.length, offset);
      if (size === out.length) return;
      throw new RangeError(
        `Cannot join packs as ${out.length} bytes must be at ${offset}: found ${size}`,
      );
    };
    joinPacks([{ table: tableOf(pack), readAt }], files.writerFor(pack));
  } finally {
    closeSync(descriptor);
  }
}
