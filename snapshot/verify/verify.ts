/**
 * Finds what is damaged in a store.
 *
 * @module
 */
import { hexOf } from "@snap/hash";
import { INDEX_PREFIX, PackRole } from "@snap/pack";
import {
  type AwaitedRanges,
  openIndex,
  openRanges,
  openStoreReader,
  type StoreIndex,
  type StoreReader,
} from "@snap/pack/read";
import type { PackSet } from "@snap/pack/index";
import { Pacer, PROGRESS_INTERVAL_MS } from "@snap/posix/pacer";
import type { StoreOptions } from "@snap/store";
import { listBadPacks } from "@snap/store/removal";
import { checkSnapshots } from "../check_snapshots.ts";
import { DamageLog, type FoundDamage } from "./damage_log.ts";
import { fileDamageOf } from "./damage_of.ts";
import { MissingPacks } from "./missing_packs.ts";
import { type KnownPack, VerifyData } from "./data.ts";
import type { PackFile } from "./pack.ts";
import { verifyDocuments } from "./documents.ts";
import { VerifyWalk } from "./walk.ts";
import { WholeCheck } from "./whole.ts";
import type { DamageSubject } from "./damage.ts";
import { presentPacks } from "./present_packs.ts";
import { TableNames } from "./table_names.ts";
import { formatRecordName, type NamedRecord } from "../records/record.ts";
import type {
  VerifyOptions,
  VerifyReport,
  VerifySource,
} from "./verify_options.ts";
import { newVerifyProgress, type VerifyProgress } from "./verify_progress.ts";

/** Most memory for pages of the index in bytes. */
const INDEX_CACHE_SIZE = 32 << 20;
/** How often what is missing is looked for again where others remove packs. */
const RUNS_MAX = 5;
/** Orphan packs that are named. */
const ORPHANS_MAX = 20;

/**
 * Verifies a store, or some of its records.
 *
 * Always every record, and every tree, page and recipe that it reaches is read and
 * checked against its id, each once; every content that they name has to have its
 * place in a pack that is there. With `data` every byte of packs and index tables
 * is read, every object checked against its id, and every large content as a whole.
 *
 * @param options Which records, how much, who is told.
 * @returns What was found; damage is no error.
 * @throws {TypeError} If `snapshots` is not what `openSnapshots` gives.
 * @throws {StoreError} If the store fails otherwise.
 * @throws {UnsupportedVersionError} If an index needs a newer program.
 */
export async function verify(
  snapshots: VerifySource,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  checkSnapshots(snapshots, "verify");
  const log = new DamageLog(options.onDamage);
  const tables = new TableNames(snapshots, options);
  await tables.hasChanged();
  let report = await new VerifyRun(snapshots, options, log).run();
  const { byteCount } = report;
  for (let i = 0; i < RUNS_MAX && log.misses; i++) {
    if (!await tables.hasChanged()) break;
    // Packs were removed beside this run: what is needed of them lies elsewhere by now.
    log.forgetMissing();
    const again = { ...options, data: false };
    report = await new VerifyRun(snapshots, again, log).run();
  }
  log.tellMissing();
  return {
    ...report,
    byteCount,
    damages: log.damages,
    damageCount: log.count,
  };
}

class VerifyRun {
  readonly #snapshots: VerifySource;
  readonly #options: VerifyOptions;
  readonly #storeOptions: StoreOptions;
  readonly #log: DamageLog;
  readonly #counts: VerifyProgress = newVerifyProgress();
  readonly #pacer: Pacer;
  #toldMs = -Infinity;
  readonly #indexed = new Map<string, KnownPack>();
  #missingPackCount = 0;
  /** Names of packs that are marked as damaged. */
  readonly #bad = new Set<string>();

  constructor(
    snapshots: VerifySource,
    options: VerifyOptions,
    log: DamageLog,
  ) {
    this.#snapshots = snapshots;
    this.#options = options;
    this.#storeOptions = { signal: options.signal };
    this.#log = log;
    const { signal } = options;
    this.#pacer = new Pacer({ signal, onTurn: () => this.#tellNow() });
  }

  async run(): Promise<VerifyReport> {
    const { store } = this.#snapshots;
    const { records: chosen } = this.#options;
    const damages: FoundDamage[] = [];
    const reads = [
      chosen ?? this.#records(damages),
      this.#indexSize(),
      chosen ?? verifyDocuments(store, this.#log, this.#storeOptions),
      listBadPacks(store, this.#storeOptions),
    ] as const;
    await Promise.allSettled(reads); // Whoever started work waits for its end.
    const [records, indexSize, , bad] = await Promise.all(reads);
    for (const damage of damages) this.#log.add(damage);
    this.#counts.recordTotal = records.length;
    const ranges = await openRanges(store);
    try {
      return await this.#verify(ranges, { records, indexSize, bad });
    } finally {
      await ranges[Symbol.asyncDispose]();
    }
  }

  async #verify(
    ranges: AwaitedRanges,
    { records, indexSize, bad }: {
      readonly records: readonly NamedRecord[];
      readonly indexSize: number;
      /** Ids of packs that are marked as damaged. */
      readonly bad: ReadonlySet<string>;
    },
  ): Promise<VerifyReport> {
    const { store, hasher, decoders } = this.#snapshots;
    // The index first: a pack that appears in between is an orphan, not damage.
    const index = await this.#openIndex(ranges, indexSize);
    const present = await presentPacks(store, index, this.#storeOptions);
    index.index.setPresentPacks(present);
    for (const { id, name } of present.packs()) {
      if (!bad.has(hexOf(id))) continue;
      this.#bad.add(name);
      index.index.markBad(id);
    }
    await this.#findUnnamed(index);
    const reader = await openStoreReader(store, {
      ...{ hasher, index, ranges },
      ...(decoders === undefined ? {} : { decoders }),
    });
    await this.#checkAll(reader, present, records);
    this.#tellUnnamed(index);
    this.#tellMissing(index);
    await this.#checkBadPacks(index);
    this.#tell();
    return this.#report(index, present);
  }

  async #checkAll(
    reader: StoreReader,
    present: PackSet,
    records: readonly NamedRecord[],
  ): Promise<void> {
    const { records: chosen, data = false } = this.#options;
    const isChosen = chosen !== undefined;
    await this.#checkPacks(reader.index, present);
    const found = data && !isChosen
      ? await this.#checkData(reader, present)
      : [];
    const suspects = new Set([...this.#bad, ...found]);
    const isDeep = data && isChosen;
    await this.#walk(reader, { present, records, suspects, isDeep });
  }

  async #records(damages: FoundDamage[]): Promise<NamedRecord[]> {
    return await this.#snapshots.records({
      ...this.#storeOptions,
      onDamage: (name, error) => {
        const storeName = formatRecordName(name);
        const damage = fileDamageOf(error, "record", storeName);
        if (damage === undefined) throw error;
        damages.push(damage);
      },
    });
  }

  async #indexSize(): Promise<number> {
    let sum = 0;
    const tables = this.#snapshots.store.list(INDEX_PREFIX, this.#storeOptions);
    for await (const batch of tables) for (const { size } of batch) sum += size;
    return sum;
  }

  async #openIndex(
    ranges: AwaitedRanges,
    indexSize: number,
  ): Promise<StoreIndex> {
    return await openIndex(this.#snapshots.store, {
      ...this.#storeOptions,
      hasher: this.#snapshots.hasher,
      ranges,
      cacheSize: Math.min(indexSize, INDEX_CACHE_SIZE),
      onDamage: (name, error) => this.#addFile("index", name, error),
      onMend: (name, error) => this.#addFile("index", name, error),
    });
  }

  /** Packs that no sound table names are read by their own tables, and are damaged or not. */
  async #findUnnamed(index: StoreIndex): Promise<void> {
    await index.findUnnamed(this.#storeOptions);
    for (const { name, error } of index.unnamed.damaged) {
      this.#addFile("pack", name, error);
    }
  }

  #addFile(subject: DamageSubject, name: string, error: unknown): void {
    if (this.#bad.has(name)) return;
    const damage = fileDamageOf(error, subject, name);
    if (damage === undefined) throw error;
    this.#log.add(damage);
  }

  /** Compares the packs of the index with those that are there. */
  async #checkPacks(index: StoreIndex, present: PackSet): Promise<void> {
    const unnamed = new Set(index.unnamed.packs.map(({ name }) => name));
    for await (const batch of index.packs(this.#storeOptions)) {
      for (const pack of batch) {
        const { packId, packName: storeName, packSize, role } = pack;
        if (this.#indexed.has(storeName)) continue;
        const { packNumber } = pack;
        const size = present.sizeOf(packId, 0);
        const isUnnamed = unnamed.has(storeName);
        const known = { packNumber, role, packSize, isUnnamed };
        this.#indexed.set(storeName, known);
        if (size === -1) this.#missingPackCount++;
        else if (size !== packSize && !this.#bad.has(storeName)) {
          const message =
            `Cannot trust ${storeName}: it has ${size} bytes, not ${packSize}`;
          const reason = "size";
          this.#log.add({ subject: "pack", storeName, reason, message });
        }
      }
    }
  }

  async #checkData(
    reader: StoreReader,
    present: PackSet,
  ): Promise<ReadonlySet<string>> {
    const data = new VerifyData({
      ...this.#storeOptions,
      reader,
      packs: present.packs().filter((pack) => this.#isRead(pack)),
      indexed: this.#indexed,
      log: this.#log,
      counts: this.#counts,
      pacer: this.#pacer,
    });
    await data.check();
    return data.suspects;
  }

  /** Whether all of a pack is read. What is known to be damaged need not be found out again. */
  #isRead(pack: PackFile): boolean {
    return !this.#bad.has(pack.name) && this.#options.packs?.(pack) !== false;
  }

  async #walk(
    reader: StoreReader,
    what: {
      readonly present: PackSet;
      readonly records: readonly NamedRecord[];
      readonly suspects: ReadonlySet<string>;
      readonly isDeep: boolean;
    },
  ): Promise<void> {
    const counts = this.#counts, pacer = this.#pacer;
    const storeOptions = this.#storeOptions;
    counts.phase = "trees";
    const { index } = reader.index;
    // Of packs that no table names those count that snapshots need.
    index.usedPacks.clear();
    const walk = new VerifyWalk({
      ...storeOptions,
      reader,
      log: this.#log,
      counts,
      pacer,
      whole: what.isDeep
        ? new WholeCheck({ reader, counts, pacer, storeOptions })
        : undefined,
      suspects: what.suspects,
      missing: new MissingPacks(reader.index, what.present),
    });
    try {
      for (const record of what.records) {
        await walk.record(record);
        counts.recordCount++;
      }
    } finally {
      await walk.close();
    }
  }

  /** Tells that the index says nothing of packs that snapshots need. */
  #tellUnnamed(index: StoreIndex): void {
    const { size: count } = index.index.usedPacks;
    if (count === 0) return;
    const message = `Cannot find ${count} ${
      count === 1 ? "pack" : "packs"
    } in the index that snapshots need: their own tables were read`;
    this.#log.add({ subject: "index", reason: "missing", message });
  }

  /** Names packs that are gone, with what of them snapshots need. */
  #tellMissing({ index }: StoreIndex): void {
    for (const [storeName, objectCount] of this.#log.missingObjects()) {
      const known = this.#indexed.get(storeName);
      if (known === undefined || index.usedPacks.has(storeName)) continue;
      const held = known.role === PackRole.data ? "files" : "directories";
      const message =
        `Cannot find ${storeName}, which held ${known.packSize} bytes of ${held}: snapshots need ${objectCount} of its objects`;
      this.#log.add({ subject: "pack", storeName, reason: "missing", message });
    }
  }

  /** Names packs whose copies were damaged, while another was sound. */
  async #checkBadPacks(index: StoreIndex): Promise<void> {
    const named = new Set([
      ...this.#bad,
      ...this.#log.damages.map((one) => one.storeName),
    ]);
    for await (const batch of index.packs(this.#storeOptions)) {
      for (const pack of batch) {
        const { packName: storeName } = pack;
        if (!index.index.isBad(pack) || named.has(storeName)) continue;
        const message =
          `Cannot trust ${storeName}: it holds damaged objects, of which there are sound copies`;
        const reason = "disk";
        this.#log.add({ subject: "pack", storeName, reason, message });
      }
    }
  }

  /** Tells of the progress, but not too often. */
  #tellNow(): void {
    const nowMs = performance.now();
    if (nowMs - this.#toldMs < PROGRESS_INTERVAL_MS) return;
    this.#toldMs = nowMs;
    this.#tell();
  }

  #tell(): void {
    this.#counts.damageCount = this.#log.count;
    this.#options.onProgress?.({ ...this.#counts });
  }

  #report(index: StoreIndex, present: PackSet): VerifyReport {
    const { usedPacks } = index.index;
    const orphans = index.unnamed.packs
      .filter(({ name }) => !usedPacks.has(name));
    const counts = this.#counts;
    return {
      recordCount: counts.recordCount,
      treeCount: counts.treeCount,
      objectCount: counts.objectCount,
      packCount: present.count - orphans.length,
      byteCount: counts.byteCount,
      damages: this.#log.damages,
      damageCount: this.#log.count,
      badPackCount: this.#bad.size,
      missingPackCount: this.#missingPackCount,
      orphanPackCount: orphans.length,
      orphanByteCount: orphans.reduce((sum, { size }) => sum + size, 0),
      orphanPacks: orphans.slice(0, ORPHANS_MAX).map(({ name }) => name),
    };
  }
}
