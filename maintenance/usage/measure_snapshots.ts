import { type Location, ObjectKind } from "@snap/pack";
import type { StoreReader } from "@snap/pack/read";
import { IdSet } from "@snap/snapshot/reach";
import type { NamedRecord } from "@snap/snapshot/records";
import type { StoreOptions } from "@snap/store";
import { type Gate, NeededWalk, storedBytes } from "./needed_walk.ts";

/** A store with its records, as `Snapshots` is one. */
export interface UsageSource {
  /** Opens a reader, once. */
  reader(): Promise<StoreReader>;
}

/** Options of {@linkcode measureSnapshots}. */
export interface MeasureOptions extends StoreOptions {
  /** Told how far it is: walks that are done, and walks in all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Objects, counted. */
export interface ObjectSum {
  /** Objects, as they are stored: chunks of large content each for itself. */
  readonly objectCount: number;
  /** Their plain bytes. */
  readonly plainByteCount: number;
  /** Their bytes in packs, rounded. */
  readonly storedByteCount: number;
}

/** What no other of the measured records needs. */
export interface SnapshotUsage {
  /** The record. */
  readonly record: NamedRecord;
  /** Objects that go if it alone is forgotten. */
  readonly unique: ObjectSum;
}

/** What records need together. */
export interface Usage {
  /** Bytes of all files of all records, as a restore of each would write them. */
  readonly plainByteCount: number;
  /** What is stored for them, each object once. */
  readonly stored: ObjectSum;
  /** Plain bytes of content among it, without trees, pages and recipes. */
  readonly contentByteCount: number;
  /** What each of them alone needs, in the order of the records. */
  readonly snapshots: readonly SnapshotUsage[];
}

/**
 * Measures what records need, and what each of them alone needs. Trees are gone
 * through twice at most, however many records share them; memory is some 90
 * bytes for each object.
 *
 * @param snapshots The store.
 * @param records The records; what others need does not count.
 * @param options Progress, what ends the wait.
 * @returns The sums.
 * @throws {DamageError} If a tree, page or recipe is damaged in every copy.
 * @throws {ObjectNotFoundError} If no pack holds an object.
 *
 * @example Two snapshots that share a file
 * ```ts
 * import { measureSnapshots } from "@snap/maintenance/usage";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { save } from "@snap/save";
 * import { openSnapshots } from "@snap/snapshot";
 * import { DEFAULT_SETTINGS, formatSettings, initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { deepStrictEqual, strictEqual } from "node:assert/strict";
 * import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
 *
 * const folder = mkdtempSync("/tmp/snap-usage-");
 * const store = new MemoryStore();
 * await initStore(store, formatSettings(DEFAULT_SETTINGS));
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * for (const name of ["one", "three"]) {
 *   writeFileSync(`${folder}/${name}`, name);
 *   await save(snapshots, folder, { workers: 0 });
 * }
 * rmSync(folder, { recursive: true });
 *
 * await snapshots.refresh();
 * const usage = await measureSnapshots(snapshots, await snapshots.records());
 * strictEqual(usage.plainByteCount, 3 + 8);
 * strictEqual(usage.contentByteCount, 8);
 * // The tree and the page of each, and "three".
 * deepStrictEqual(usage.snapshots.map(({ unique }) => unique.objectCount), [3, 2]);
 * ```
 */
export async function measureSnapshots(
  snapshots: UsageSource,
  records: readonly NamedRecord[],
  options: MeasureOptions = {},
): Promise<Usage> {
  const { signal, onProgress } = options;
  const walk = new NeededWalk(await snapshots.reader(), { signal });
  const sharing = new Sharing();
  let done = 0;
  const walked = (): void => onProgress?.(++done, 2 * records.length);
  for (const record of records) {
    sharing.beginRecord();
    await walk.walk(record, sharing);
    walked();
  }
  const usages: SnapshotUsage[] = [];
  for (const record of records) {
    const alone = new Alone(sharing.shared);
    await walk.walk(record, alone);
    usages.push({ record, unique: alone.sum.rounded() });
    walked();
  }
  return {
    plainByteCount: records.reduce(
      (sum, { totals }) => sum + totals.byteCount,
      0,
    ),
    stored: sharing.sum.rounded(),
    contentByteCount: sharing.contentByteCount,
    snapshots: usages,
  };
}

class Sum {
  #objectCount = 0;
  #plainByteCount = 0;
  #storedByteCount = 0;

  add(place: Location): void {
    this.#objectCount++;
    this.#plainByteCount += place.size;
    this.#storedByteCount += storedBytes(place);
  }

  rounded(): ObjectSum {
    return {
      objectCount: this.#objectCount,
      plainByteCount: this.#plainByteCount,
      storedByteCount: Math.round(this.#storedByteCount),
    };
  }
}

/**
 * Finds what several records need. A record goes into what is new, and once more
 * into what one record had before it: all below is shared then.
 */
class Sharing implements Gate {
  readonly shared: IdSet = new IdSet();
  readonly sum: Sum = new Sum();
  contentByteCount = 0;
  readonly #all = new IdSet();
  #own = new IdSet();
  #isNew = false;

  beginRecord(): void {
    this.#own = new IdSet();
  }

  enters(ids: Uint8Array, start: number, kind: number): boolean {
    if (!this.#own.add(ids, start, 0, kind)) return false;
    this.#isNew = this.#all.add(ids, start, 0, kind);
    return this.#isNew || this.shared.add(ids, start, 0, kind);
  }

  take(place: Location): void {
    if (!this.#isNew) return;
    this.sum.add(place);
    if (place.kind === ObjectKind.content) this.contentByteCount += place.size;
  }
}

/** Takes what is not shared. */
class Alone implements Gate {
  readonly sum: Sum = new Sum();
  readonly #shared: IdSet;
  readonly #own = new IdSet();

  constructor(shared: IdSet) {
    this.#shared = shared;
  }

  enters(ids: Uint8Array, start: number, kind: number): boolean {
    return !this.#shared.has(ids, start, 0, kind) &&
      this.#own.add(ids, start, 0, kind);
  }

  take(place: Location): void {
    this.sum.add(place);
  }
}
