/**
 * The id of a directory, without a store.
 *
 * @module
 */
import { openSource, type SourceOptions } from "@snap/disk/source";
import {
  checkHasher,
  checkTextOrBytes,
  type Hasher,
  type Id,
  idFromBytes,
} from "@snap/hash";
import { ClaimTable, ObjectSink, type SinkConfig } from "@snap/pack/sink";
import { SavePipeline } from "./pipeline.ts";
import type { SaveProgress } from "./progress.ts";
import type { SourceReport } from "./source_report.ts";
import { KeptTrees } from "./walk/kept_trees.ts";
import type { SaveWriter } from "./workers.ts";
import { DEFAULT_SETTINGS } from "@snap/store/format";

/** Options for {@linkcode identify}. */
export interface IdentifyOptions extends SourceOptions {
  /** The hasher. */
  hasher: Hasher;
  /**
   * Threads that read and hash. None does everything in this thread.
   *
   * @default {0}
   */
  workers?: number;
  /**
   * Keeps trees and attribute pages in memory, to be read afterwards.
   *
   * @default {false}
   */
  keepTrees?: boolean;
  /** Called at most ten times a second, and once at the end. */
  onProgress?: (progress: SaveProgress) => void;
  /** Ends the work early. */
  signal?: AbortSignal | undefined;
}

/** A directory that was named and not stored. */
export interface Identified extends SourceReport {
  /** The id that a snapshot of it would have. */
  readonly id: Id;
  /** The id of the root's attribute page. */
  readonly page: Id;
  /**
   * Gives a tree or a page, if they were kept.
   *
   * @param id Its id.
   * @param kind Its kind.
   * @returns Its bytes.
   * @throws {ObjectNotFoundError} If there is no such object.
   */
  readObject(id: Uint8Array, kind: number): Promise<Uint8Array>;
}

/**
 * Names a directory without a store: reads and hashes everything.
 *
 * @example
 * ```ts
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { identify } from "@snap/save/identify";
 * import { strictEqual } from "node:assert/strict";
 * import { mkdtempSync, rmSync } from "node:fs";
 *
 * const folder = mkdtempSync("/tmp/snap-identify-");
 * const { id } = await identify(folder, { hasher: wasmHasher });
 * strictEqual(id.length, 64);
 * rmSync(folder, { recursive: true });
 * ```
 *
 * @param path The directory.
 * @param options The hasher, workers, what is left out.
 * @returns The id, and the trees if they are wanted.
 * @throws {DiskError} If the directory itself cannot be read.
 */
export async function identify(
  path: string | Uint8Array,
  options: IdentifyOptions,
): Promise<Identified> {
  const action = "identify";
  checkTextOrBytes({ path }, action);
  checkHasher(options?.hasher, action);
  const { hasher, workers = 0 } = options;
  const trees = new KeptTrees(hasher, {
    isKeeping: options.keepTrees ?? false,
  });
  const source = openSource(path, options);
  try {
    const pipeline = new SavePipeline({
      source,
      writer: new NoWriter(hasher),
      namer: trees,
      hasher,
      isNaming: true,
      workers,
      previous: undefined,
      spill: undefined,
      trustStat: false,
      onProgress: options.onProgress,
      signal: options.signal,
    });
    const found = await pipeline.run();
    const { errors, errorCount, changed, changedCount } = found;
    const { ids, totals, unreal } = found;
    return {
      ...{ totals, errors, errorCount, changed, changedCount, unreal },
      id: idFromBytes(ids, 0),
      page: idFromBytes(ids, 32),
      readObject: (id, kind) => trees.readObject(id, kind),
    };
  } finally {
    source[Symbol.dispose]();
  }
}

/** Stands in for the writer of a store where there is none. */
class NoWriter implements SaveWriter {
  readonly failure: AbortSignal = new AbortController().signal;
  readonly isFull = false;
  readonly trustsRecords = true;
  readonly #claims = new ClaimTable(256).buffer;
  readonly #sink: ObjectSink;

  constructor(hasher: Hasher) {
    const random = (size: number): Uint8Array => new Uint8Array(size);
    const tools = { hasher, random, target: this };
    this.#sink = new ObjectSink(this.sinkConfig(), tools);
  }

  sink(): ObjectSink {
    return this.#sink;
  }

  sinkConfig(): SinkConfig {
    return {
      settings: DEFAULT_SETTINGS,
      saveId: new Uint8Array(16),
      spoolPath: "",
      indexTables: [],
      claims: this.#claims,
      mode: "count",
    };
  }

  addPack(): void {}

  addRecipe(): void {}

  readonly isBehind = false;

  settled(): Promise<void> {
    return Promise.resolve();
  }

  makeRoom(): Promise<SinkConfig> {
    return Promise.resolve(this.sinkConfig());
  }
}
