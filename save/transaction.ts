import type { Source } from "@snap/disk/source";
import { idFromBytes } from "@snap/hash";
import { IndexSyntaxError, objectKindName } from "@snap/pack";
import { openRanges, openStoreReader, StoreIndex } from "@snap/pack/read";
import {
  type ObjectWriter,
  openObjectWriter,
  openWriterLease,
  repairTable,
  type WriterLease,
} from "@snap/pack/write";
import { nativeDecoders, nativeEncoders } from "@snap/posix/decoders";
import type { Snapshots } from "@snap/snapshot";
import {
  finishedSaves,
  type NamedRecord,
  parseTime,
} from "@snap/snapshot/records";
import type { WriteStore } from "@snap/store";
import { MetadataPacker } from "@snap/snapshot/write";
import { SavePipeline } from "./pipeline.ts";
import type {
  PreviousSnapshot,
  SavePipelineResult,
} from "./pipeline_options.ts";
import type { SaveProgress } from "./progress.ts";
import type { FoundChanges } from "./change_finder.ts";
import { recordsOfSource } from "./records_of_source.ts";
import { Resources } from "./resources.ts";
import type { SaveOptions } from "./options.ts";
import type { KnownChanges } from "./walk/known_changes.ts";
import { OverlaySave } from "./overlay/overlay_save.ts";
import type { ObjectNamer } from "./walk/directory_encoder.ts";
import { RememberingNamer } from "./walk/remembering_namer.ts";
import { PreviousReader } from "./walk/previous_reader.ts";
import { SpillFiles } from "./walk/spill_file.ts";

/** Options of {@linkcode SaveTransaction}. */
export interface SaveTransactionOptions extends SaveOptions {
  readonly source: Source;
  readonly saveId: Uint8Array;
  readonly random: (size: number) => Uint8Array;
  readonly now: () => number;
  readonly host: string;
  /** The source as it stands in records. */
  readonly sourceText: string;
  /** Index tables that are not to be looked into. */
  readonly damaged: ReadonlySet<string>;
  /**
   * Finds out what of the source has changed.
   *
   * @param previous The newest record of the source.
   */
  readonly find: (
    previous: NamedRecord | undefined,
  ) => Promise<FoundChanges | undefined>;
}

/** Thrown where the snapshot before is damaged that the totals rely on: a walk of all tells them. */
export class UnknownTotalsError extends Error {
  /** Makes the error. */
  constructor() {
    super("Cannot tell totals: the snapshot before is damaged");
    this.name = "UnknownTotalsError";
  }
}

/** Result of a transaction: the record, and its name. */
export interface SavedTree extends SavePipelineResult {
  readonly progress: SaveProgress;
  readonly storedByteCount: number;
  readonly indexByteCount: number;
  /** Records of this host and source that are not later than now, newest first. */
  readonly sameSource: readonly NamedRecord[];
  /** Whether packs are being removed: then the newest record may be one that will not count. */
  readonly isRoundOpen: boolean;
  /** Whether everything is in the store that its index names. */
  readonly isComplete: boolean;
}

/** What comes after all objects are durable. */
export interface Publisher<T> {
  /** Writes the record. */
  (saved: SavedTree, confirm: () => Promise<void>): Promise<T>;
}

/** One save into a store: the writer, and the snapshot before that it is compared with. */
export class SaveTransaction {
  readonly #snapshots: Snapshots<WriteStore>;
  readonly #options: SaveTransactionOptions;
  readonly #resources = new Resources();

  /**
   * Begins nothing yet.
   *
   * @param options The source, and how to read it.
   */
  constructor(
    snapshots: Snapshots<WriteStore>,
    options: SaveTransactionOptions,
  ) {
    this.#snapshots = snapshots;
    this.#options = options;
  }

  /**
   * Walks the source, stores what is new, and has the record written once all
   * that it relies on is durable.
   *
   * @param publish Writes the record, then sees that no packs were removed meanwhile.
   */
  async run<T>(publish: Publisher<T>): Promise<T> {
    try {
      const lease = await this.#openLease();
      // In this order: what has a record by now has an index that is seen.
      const reading = recordsOfSource(this.#snapshots, {
        ...this.#options,
        voidSaves: lease?.voidSaves,
      });
      const opening = this.#openWriter(lease);
      await Promise.allSettled([reading, opening]); // Whoever started work waits for its end.
      const writer = this.#resources.use(await opening);
      const sameSource = await reading;
      try {
        const saved = await this.#store(writer, sameSource);
        await this.#snapshots.refresh();
        return await publish(saved, () => writer.confirm());
      } catch (error) {
        await writer.giveUp();
        throw error;
      }
    } finally {
      await this.#resources.close();
    }
  }

  /** Begins the lease, before anything is looked at; a dry run has none. */
  async #openLease(): Promise<WriterLease | undefined> {
    if (this.#options.dryRun === true) return undefined;
    const { store } = this.#snapshots;
    return await openWriterLease(store, { action: "save", ...this.#options });
  }

  async #openWriter(lease: WriterLease | undefined): Promise<ObjectWriter> {
    const { store, hasher, settings } = this.#snapshots;
    const { damaged, dryRun, signal } = this.#options;
    await this.#snapshots.refresh();
    return await openObjectWriter(store, {
      ...this.#options,
      lease,
      hasher,
      settings,
      encoders: nativeEncoders,
      mode: dryRun === true ? "count" : "new",
      damagedTables: damaged,
      finishedSaves: () => finishedSaves(store, { signal }),
    });
  }

  async #store(
    writer: ObjectWriter,
    sameSource: readonly NamedRecord[],
  ): Promise<SavedTree> {
    const { hasher } = this.#snapshots;
    const { onProgress, readAll, signal, source } = this.#options;
    // An upper directory is no directory that was saved before.
    const found = this.#options.overlay
      ? undefined
      : await this.#options.find(sameSource[0]);
    const spill = this.#resources.use(new SpillFiles(writer.spoolPath));
    const overlay = this.#options.overlay &&
      await OverlaySave.open(this.#snapshots, writer, this.#options);
    const pipeline = new SavePipeline({
      source,
      writer,
      namer: overlay?.trees ?? this.#namer(writer),
      hasher,
      isNaming: false,
      workers: this.#options.workers ?? 0,
      previous: readAll === true || overlay || sameSource.length === 0
        ? undefined
        : await this.#openPrevious(sameSource[0], {
          ...{ writer, spill },
          known: knownBeside(sameSource[0], { writer, found }),
        }),
      recorder: found?.known === undefined ? found?.recorder : undefined,
      spill,
      trustStat: this.#options.trustStat ?? false,
      onProgress,
      signal,
    });
    const walked = await pipeline.run();
    if (!walked.areTotalsKnown) throw new UnknownTotalsError();
    const result = { ...walked, ...await overlay?.merge(walked.ids) };
    await writer.finish();
    const { progress } = pipeline;
    const { storedByteCount, indexByteCount, isRoundOpen } = writer;
    const counts = { progress, storedByteCount, indexByteCount };
    const isComplete = writer.trustsRecords;
    return { ...result, ...counts, sameSource, isRoundOpen, isComplete };
  }

  #namer(writer: ObjectWriter): ObjectNamer {
    const { memory } = this.#options;
    const packer = new MetadataPacker(writer.sink(), this.#snapshots.hasher);
    return memory === undefined ? packer : new RememberingNamer(packer, memory);
  }

  async #openPrevious(
    record: NamedRecord,
    { writer, spill, known }: {
      readonly writer: ObjectWriter;
      readonly spill: SpillFiles;
      readonly known: KnownChanges | undefined;
    },
  ): Promise<PreviousSnapshot> {
    const { store, hasher } = this.#snapshots;
    const ranges = this.#resources.use(await openRanges(store));
    const index = new StoreIndex(writer.index, store, { ranges });
    const objects = this.#resources.use(
      await openStoreReader(store, {
        ...{ hasher, index, ranges },
        decoders: nativeDecoders,
      }),
    );
    const onDamage = (id: Uint8Array, kind: number, error: unknown): void => {
      writer.sink().distrust(id);
      const name = `${objectKindName(kind)} ${idFromBytes(id)}`;
      this.#options.onDamage?.(name, error);
    };
    const reader = this.#resources.use(
      new PreviousReader(objects, {
        ...{ spill, onDamage },
        order: known === undefined ? "walk" : "any",
        memory: this.#options.memory,
      }),
    );
    return {
      root: await reader.root(record),
      start: parseTime(record.startTime),
      reader,
      totals: record.totals,
      known,
    };
  }
}

/** What is known, unless beside another record, or where content may be lost that is looked for. */
function knownBeside(
  { record }: NamedRecord,
  { writer, found }: {
    readonly writer: ObjectWriter;
    readonly found: FoundChanges | undefined;
  },
): KnownChanges | undefined {
  const known = found?.known;
  return writer.trustsRecords && known?.record === record ? known : undefined;
}

/**
 * Runs a save. Where a page of the index turns out to be damaged, writes its
 * table again from the packs and begins again; where that is not possible,
 * begins again without the table.
 *
 * @param options The options of the save.
 * @param run The save; told which tables not to look into, and the bytes of those written again.
 */
export async function retryWithoutDamage<T>(
  snapshots: Snapshots<WriteStore>,
  options: SaveOptions,
  run: (damaged: ReadonlySet<string>, byteCount: number) => Promise<T>,
): Promise<T> {
  const damaged = new Set<string>();
  let byteCount = 0;
  for (;;) {
    try {
      return await run(damaged, byteCount);
    } catch (error) {
      const name = error instanceof IndexSyntaxError
        ? error.tableName
        : undefined;
      // Each table once: that it is met again is a fault of this program.
      if (name === undefined || damaged.has(name)) throw error;
      damaged.add(name);
      options.onDamage?.(name, error);
      if (options.dryRun === true) continue;
      byteCount += await repairTable(name, snapshots, options);
    }
  }
}
