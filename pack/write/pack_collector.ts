import { closeSync, openSync, readSync } from "node:fs";
import type { Hasher } from "@snap/hash";
import { parseCodec } from "../codec/codecs.ts";
import { packName } from "../file_name.ts";
import { PackRole } from "../object_kind.ts";
import { joinPacks } from "./join_packs.ts";
import { PackTable } from "./pack_table.ts";
import type { WriteStore } from "@snap/store";
import { DelayedSignal } from "./delayed_signal.ts";
import { writeIndexTables } from "./index_tables.ts";
import { type FinishedPackFile, PackFiles } from "./pack_files.ts";
import type { StoreSettings } from "@snap/store/format";
import { adoptFile, removeQuietly } from "@snap/store/owner";
import { SpoolGate } from "./spool_gate.ts";
import type { LocalIndexFiles } from "./local_index_files.ts";
import { spooling } from "../ranges/store_file_error.ts";

/** An index goes out with this many objects: their tables wait in memory. */
const INDEX_OBJECTS = 2 ** 18;
/** Packs of more objects than this are full, whatever their size. */
const SMALL_OBJECTS_MAX = 2 ** 14;
/** Packs below this part of their target wait for the end, to be joined. */
const SMALL_PART = 1 / 4;
/** A pack that is sent early has this part of all that was stored, so that there are few. */
const EARLY_PART = 1 / 8;
/** Time that packs on their way into the store have to arrive after the signal. */
const GRACE_MS = 400;
/** An index goes out at least this often, while there are new packs. */
const INDEX_MS = 5 * 60 * 1000;

/** Options of {@linkcode PackCollector}. */
export interface PackCollectorOptions {
  readonly store: WriteStore;
  readonly settings: StoreSettings;
  readonly hasher: Hasher;
  readonly saveId: Uint8Array;
  readonly random: (size: number) => Uint8Array;
  readonly now: () => number;
  /** An index goes out with this many bytes of packs, so that a killed save is not lost work. */
  readonly indexByteCount: number;
  /** Bytes of packs that may be on their way into the store. */
  readonly spoolSizeMax: number;
  /** The beginning of the paths of joined packs. */
  readonly spoolPath: string;
  /** The index tables that are there, to which new ones are added. */
  readonly index: LocalIndexFiles;
  readonly onError: (error: unknown) => void;
  /** Ends what is on its way into the store, a moment after it is given. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The packs that an index tells of: data packs; tree packs too, as all data packs
 * of theirs are in the store; after the last one nothing is looked up. To rescue
 * data packs of a save that has failed there is little time.
 */
export type IndexScope = "data" | "all" | "last" | "rescue";

/** Takes finished packs into the store, and writes the index that tells of them. */
export class PackCollector implements Disposable {
  /** Bytes of packs that this save has added to the store. */
  storedByteCount = 0;
  /** Bytes of index tables that it has added; those that are merged tell of older packs, too. */
  indexByteCount = 0;
  /** Where workers wait while {@linkcode PackCollector.isBehind} holds. */
  readonly gate: SpoolGate = new SpoolGate();
  readonly #options: PackCollectorOptions;
  readonly #adopting = new Set<Promise<void>>();
  readonly #small: FinishedPackFile[] = [];
  readonly #end: DelayedSignal;
  /** Packs that the store has and no index tells of. */
  #adopted: FinishedPackFile[] = [];
  /** Bytes on their way into the store. */
  #spooledSize = 0;
  #indexCount = 0;
  #indexTime: number;
  #indexing: Promise<void> | undefined;

  constructor(options: PackCollectorOptions) {
    this.#options = options;
    this.#end = new DelayedSignal(options.signal, GRACE_MS);
    this.#indexTime = options.now();
    this.#spool(0);
  }

  /** Takes a pack. One that is far from full waits for the end, to be joined. */
  add(pack: FinishedPackFile): void {
    const isSmall = pack.size < this.#smallSize &&
      pack.objectCount <= SMALL_OBJECTS_MAX;
    if (isSmall) {
      this.#small.push(pack);
    } else this.#adopt(pack);
  }

  /** Whether more is on its way into the store than the spool may hold. */
  get isBehind(): boolean {
    return this.#spooledSize > this.#options.spoolSizeMax;
  }

  /** Resolves when no more than the spool may hold is on its way into the store. */
  async settled(): Promise<void> {
    while (this.isBehind) await Promise.race(this.#adopting);
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
   * @param scope What it tells of. Many small tables that are there are merged with it.
   */
  async writeIndex(scope: IndexScope): Promise<void> {
    const packs = scope === "data" || scope === "rescue"
      ? this.#unindexed()
      : this.#adopted.slice();
    this.#indexTime = this.#options.now();
    if (packs.length === 0) return;
    this.#end.signal.throwIfAborted();
    const { tables, replaced } = await writeIndexTables({
      ...this.#options,
      signal: this.#end.signal,
      packs: packs.map((pack) => ({ ...pack, table: tableOf(pack) })),
      merge: scope === "rescue" ? [] : this.#options.index.files,
      timeMs: this.#options.now(),
      spoolPath: `${this.#options.spoolPath}-index${this.#indexCount++}`,
    });
    // Not before: when the index could not be written, giving up tries again.
    const written = new Set(packs);
    this.#adopted = this.#adopted.filter((pack) => !written.has(pack));
    for (const { size } of tables) this.indexByteCount += size;
    if (scope === "last" || scope === "rescue") return;
    // Tables do not pile up while a save runs: what follows opens the merged ones.
    await this.#options.index.add(tables, { signal: this.#end.signal });
    this.#options.index.remove(replaced);
  }

  /** Removes the files of packs that the store was not given. */
  discard(): void {
    for (const pack of this.#small) removeQuietly(pack.path);
    this.#small.length = 0;
  }

  /** Hears no signal any more. */
  [Symbol.dispose](): void {
    this.#end[Symbol.dispose]();
  }

  #adopt(pack: FinishedPackFile): void {
    const adopting = this.#store(pack).catch(this.#options.onError)
      .finally(() => {
        this.#adopting.delete(adopting);
        this.#spool(-pack.size);
      });
    this.#adopting.add(adopting);
    this.#spool(pack.size);
  }

  #spool(size: number): void {
    this.#spooledSize += size;
    this.gate.isClosed = this.isBehind;
    this.gate.sizeEnough = this.#sizeEnough;
  }

  get #smallSize(): number {
    return this.#options.settings.packSizeTarget * SMALL_PART;
  }

  /** A store far away that has nothing to do is sent a pack before it is full. */
  get #sizeEnough(): number {
    const isFar = this.#options.store.localPath === undefined;
    if (!isFar || this.#spooledSize > 0) return Infinity;
    return Math.ceil(
      Math.max(this.#smallSize, this.storedByteCount * EARLY_PART),
    );
  }

  async #store(pack: FinishedPackFile): Promise<void> {
    const { signal } = this.#end;
    const file = { name: packName(pack.id), path: pack.path };
    await adoptFile(this.#options.store, file, { signal });
    this.#adopted.push(pack);
    this.storedByteCount += pack.size;
    if (this.#indexing === undefined && this.#isIndexDue()) {
      this.#indexing = this.#index()
        .catch(this.#options.onError)
        .finally(() => this.#indexing = undefined);
    }
  }

  /** Packs that have come meanwhile do not wait for the next one. */
  async #index(): Promise<void> {
    while (this.#isIndexDue()) await this.writeIndex("data");
  }

  #isIndexDue(): boolean {
    const { indexByteCount, now } = this.#options;
    const packs = this.#unindexed();
    if (packs.length === 0) return false;
    let byteCount = 0, objectCount = 0;
    for (const pack of packs) {
      byteCount += pack.size;
      objectCount += pack.objectCount;
    }
    return byteCount >= indexByteCount || objectCount >= INDEX_OBJECTS ||
      now() - this.#indexTime >= INDEX_MS;
  }

  /** Data packs that an index may tell of at once. */
  #unindexed(): FinishedPackFile[] {
    return this.#adopted.filter((pack) => pack.role === PackRole.data);
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
      target: { addPack: (pack) => this.#adopt(pack) },
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

/** The table, which the writer of the pack has read again already. */
function tableOf(pack: FinishedPackFile): PackTable {
  return PackTable.fromRows(pack.table, pack);
}

function copyPack(pack: FinishedPackFile, files: PackFiles): void {
  const descriptor = openSync(pack.path, "r");
  try {
    const readAt = (offset: number, out: Uint8Array): void => {
      const size = readSync(descriptor, out, 0, out.length, offset);
      if (size === out.length) return;
      throw new RangeError(
        `Cannot join packs: ${pack.path} ends ${
          out.length - size
        } bytes too early`,
      );
    };
    joinPacks([{ table: tableOf(pack), readAt }], files.writerFor(pack));
  } finally {
    closeSync(descriptor);
  }
}
