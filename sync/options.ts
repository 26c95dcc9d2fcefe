/**
 * Options of a copy, its counters and its report.
 *
 * @module
 */
import type { StoreOptions } from "@snap/store";
import type { NamedRecord } from "@snap/snapshot/records";
import type { SyncError } from "./errors.ts";

/** All that is not a function of what is given: time, chance, waiting. */
export interface Env {
  /** The clock, in milliseconds since 1970. */
  now(): number;
  /**
   * Draws random bytes.
   *
   * @param size How many.
   * @returns The bytes.
   */
  random(size: number): Uint8Array;
  /**
   * Waits.
   *
   * @param ms How long.
   * @param signal What ends the wait.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The system: its clock, its random bytes, its timers. */
export const systemEnv: Env = {
  now: () => Date.now(),
  random: (size) => crypto.getRandomValues(new Uint8Array(size)),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = (): void => {
        clearTimeout(timer);
        reject(signal!.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, ms);
      signal?.addEventListener("abort", stop, { once: true });
    }),
};

/** Counters of a sync, which may be read while it runs. */
export interface Meter {
  /** The phase of the work. */
  phase: "compare" | "walk" | "move" | "prove" | "commit";
  /** Objects that were met so far. */
  objectsTotal: number;
  /** Objects that were taken from the source. */
  objectsIn: number;
  /** Objects that were given to the target. */
  objectsOut: number;
  /** Objects that the target had. */
  objectsSkipped: number;
  /** Plain bytes of the objects that the target lacks, as far as they were met. */
  bytesTotal: number;
  /** Plain bytes among them that were brought. */
  bytesDone: number;
  /** Whether all that there is in this direction was met: the totals are final. */
  isWalked: boolean;
  /** Stored bytes that were taken from the source. */
  bytesIn: number;
  /** Stored bytes that were given to the target. */
  bytesOut: number;
  /** Requests that wait for a turn. */
  waiting: number;
}

/**
 * Makes the counters of a sync.
 *
 * @returns The counters, all of them 0.
 */
export function newMeter(): Meter {
  return {
    phase: "compare",
    objectsTotal: 0,
    objectsIn: 0,
    objectsOut: 0,
    objectsSkipped: 0,
    bytesTotal: 0,
    bytesDone: 0,
    isWalked: false,
    bytesIn: 0,
    bytesOut: 0,
    waiting: 0,
  };
}

/** A session begins. */
export interface SessionStart {
  /** Which side observes. */
  readonly side: "client" | "server";
  /** Where the snapshots come from, or the session of a server. */
  readonly from: string;
  /** Where they go. */
  readonly to: string;
}

/** A session has ended. */
export interface SessionEnd {
  /** Report of the session, on the side that asks. */
  readonly report?: SyncReport;
  /** Why it failed. */
  readonly error?: unknown;
}

/** A round has ended: records that were walked, moved and written together. */
export interface RoundStats {
  /** Its number, from 1. */
  readonly round: number;
  /** Records of it that were written. */
  readonly recordsCopied: number;
}

/** A request begins. */
export interface RequestStart {
  /** The verb, such as `get`. */
  readonly verb: string;
  /** Bytes of the request. */
  readonly bytes: number;
}

/** A request was answered, or failed. */
export interface RequestEnd {
  /** Bytes of the answer; 0 for none. */
  readonly bytes: number;
  /** Why it failed. */
  readonly error?: unknown;
}

/**
 * Told of what happens. Every method may be left out. What the start of something
 * returns is handed to its end, and to what begins inside, so that spans of a
 * trace nest.
 */
export interface Observer {
  /** A session begins; returns its context. */
  sessionStarted?(info: SessionStart): unknown;
  /** A session has ended. */
  sessionEnded?(context: unknown, info: SessionEnd): void;
  /** A round of a session begins; returns its context. */
  roundStarted?(context: unknown, round: number): unknown;
  /** A round has ended. */
  roundEnded?(context: unknown, info: RoundStats): void;
  /** A request begins, on either side; returns its context. */
  requestStarted?(info: RequestStart): unknown;
  /** A request was answered, or failed. */
  requestEnded?(context: unknown, info: RequestEnd): void;
  /** Something failed, and the rest goes on. */
  error?(context: unknown, error: SyncError): void;
}

/** Rate and concurrency; may be shared by several. */
export interface Limits {
  /** Most bytes a second, both directions together. */
  readonly bytesPerSecond?: number;
  /** Most requests under way. */
  readonly requests?: number;
  /** Most bytes under way. */
  readonly bytesInFlight?: number;
}

/** Keeps chaining values of spans between runs: what was proved once is not read again. */
export interface ProofCache {
  /**
   * Finds a value.
   *
   * @param key What was hashed, and where: 64 hex digits.
   * @returns The chaining value, 32 bytes, if it is known.
   */
  get(key: string): Uint8Array | undefined;
  /**
   * Keeps a value.
   *
   * @param key What was hashed, and where: 64 hex digits.
   * @param value The chaining value, 32 bytes.
   */
  set(key: string, value: Uint8Array): void;
}

/** How snapshots are copied. */
export interface CopyOptions extends StoreOptions {
  /** Moves nothing and opens no session: the report says what would cross. */
  readonly dryRun?: boolean;
  /** Distrusts records that stand: what they reach is looked up, and healed. */
  readonly recheck?: boolean;
  /** Threads beside the one that asks, between two stores that are folders. */
  readonly workers?: number;
  /** Rate and concurrency of requests. */
  readonly limits?: Limits;
  /** Counters to add to. */
  readonly meter?: Meter;
  /** Called when the counters have changed, at most ten times a second and at the end. */
  readonly onProgress?: (meter: Meter) => void;
  /** Told of what happens. */
  readonly observer?: Observer;
  /** Proofs of earlier runs. */
  readonly proofs?: ProofCache;
  /** Time, chance, waiting. */
  readonly env?: Env;
}

/** Directions of a sync, and what it is about. */
export interface SyncOptions extends CopyOptions {
  /** Whether records of the first side go to the second. Default: true. */
  readonly push?: boolean;
  /** Whether records of the second side go to the first. Default: true. */
  readonly pull?: boolean;
  /** Whether logs of tags are made equal. Default: true. */
  readonly tags?: boolean;
  /** Only these tags. */
  readonly tagNames?: readonly string[];
  /**
   * Chooses records. Default: all.
   *
   * @param record A record that only one side has.
   * @returns Whether it is copied.
   */
  select?(record: NamedRecord): boolean;
  /**
   * Treatment of records that the source has forgotten: `forgets` forgets them
   * at the target, too; `exact` removes there besides what the source never had.
   * Default: they stay.
   */
  readonly mirror?: "forgets" | "exact";
}

/** How a store is cloned. */
export interface CloneOptions extends CopyOptions {
  /** Only these tags, and the records that they name; else everything. */
  readonly tagNames?: readonly string[];
}

/** Report of a sync. */
export interface SyncReport extends Meter {
  /** Whether nothing was moved on purpose. */
  dryRun: boolean;
  /** Groups of records that were moved and written together. */
  rounds: number;
  /** Requests to servers. */
  requests: number;
  /** Records that were written, or would be. */
  recordsCopied: number;
  /** Records that were removed, or would be. */
  recordsRemoved: number;
  /** Entries that were added to logs of tags, or would be. */
  tagEntries: number;
  /** Whether the sides cut content differently, so that they share little of it. */
  chunksDiffer: boolean;
  /** Errors of records and objects that could not be copied. */
  errors: SyncError[];
}
