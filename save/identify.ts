import { openSource, type SourceOptions } from "@snap/disk/source";
import type { DiskError } from "@snap/disk";
import { type Hasher, type Id, idFromBytes } from "@snap/hash";
import { joinPieces } from "@snap/manifest";
import { ObjectNotFoundError } from "@snap/pack";
import { ClaimTable } from "./pack/claim_table.ts";
import { ObjectHasher } from "./pack/object_hasher.ts";
import type { Totals } from "@snap/snapshot/records";
import { SaveRun } from "./pipeline.ts";
import type { SaveProgress } from "./progress.ts";
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
  signal?: AbortSignal;
}

/** A directory that was named and not stored. */
export interface Identified {
  /** The id that a snapshot of it would have. */
  readonly id: Id;
  /** The id of the root's attribute page. */
  readonly page: Id;
  /** What it holds. */
  readonly totals: Totals;
  /** What could not be read; of very much, the first 10,000 and more. */
  readonly errors: readonly DiskError[];
  /** How much could not be read. */
  readonly errorCount: number;
  /** Files that changed while they were read; of very many, the first 10,000. */
  readonly changed: readonly Uint8Array[];
  /** How many files changed while they were read. */
  readonly changedCount: number;
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
 * @param path The directory.
 * @param options The hasher, workers, what is left out.
 * @returns The id, and the trees if they are wanted.
 * @throws {DiskError} If the directory itself cannot be read.
 */
export async function identify(
  path: string | Uint8Array,
  options: IdentifyOptions,
): Promise<Identified> {
  const { hasher, keepTrees = false, workers = 0 } = options;
  const kept = new Map<Id, Uint8Array>();
  const names = new ObjectHasher(hasher, DEFAULT_SETTINGS.chunk.sizeMax);
  const source = openSource(path, options);
  try {
    const run = new SaveRun({
      source,
      config: {
        settings: DEFAULT_SETTINGS,
        saveId: new Uint8Array(16),
        indexTables: [],
        claims: new ClaimTable(256).buffer,
        mode: "name",
      },
      hasher,
      random: (size) => new Uint8Array(size),
      workers,
      spoolPaths: Array.from({ length: workers + 1 }, () => ""),
      parent: undefined,
      parentStart: undefined,
      openParent: () => Promise.resolve(undefined),
      trustStat: false,
      *saveObject(context, _kind, object, out, offset): Generator<void> {
        yield* names.derive(context, object, out, offset);
        if (keepTrees) kept.set(idFromBytes(out, offset), joinPieces(object));
      },
      saveRecipe: () => {},
      onPack: () => {},
      settled: () => undefined,
      onProgress: options.onProgress,
      signal: options.signal,
    });
    const { ids, totals, errors, errorCount, changed, changedCount } = await run
      .run();
    return {
      id: idFromBytes(ids, 0),
      page: idFromBytes(ids, 32),
      totals,
      errors,
      errorCount,
      changed,
      changedCount,
      readObject: (id, kind) => {
        const bytes = kept.get(idFromBytes(id));
        return bytes === undefined
          ? Promise.reject(new ObjectNotFoundError(id, kind))
          : Promise.resolve(bytes);
      },
    };
  } finally {
    source[Symbol.dispose]();
  }
}
