import type { HasherName } from "@snap/hash";
import type { ErrorRecord } from "@snap/posix/worker";
import type { FetchedSource, FetchWant, LocalSource } from "@snap/pack/ranges";
import type { SessionOptions } from "../session/session_parts.ts";

/** The configuration of a worker, all of it numbers, text and shared memory. */
export interface MountWorkerConfig {
  /** Its number, from 0. */
  readonly number: number;
  /** Descriptor of the device. */
  readonly device: number;
  /** The eventfd of each worker. */
  readonly wakes: readonly number[];
  readonly control: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
  readonly nodes: SharedArrayBuffer;
  readonly tables: SharedArrayBuffer;
  readonly cache: SharedArrayBuffer;
  readonly served: SharedArrayBuffer;
  /** The source of the bytes of the store. */
  readonly source: LocalSource | FetchedSource;
  readonly session: SessionOptions;
  readonly spinUs: number;
  readonly deadlineMs: number;
}

/** Messages to a worker. */
export type ToMountWorker =
  /** Which hasher to load, as soon as it is known: loading takes a while. */
  | { readonly kind: "prepare"; readonly hasher: HasherName }
  | { readonly kind: "begin"; readonly config: MountWorkerConfig };

/** Messages of a worker. */
export type FromMountWorker =
  /** The first request of the kernel was answered: the mount is there. */
  | { readonly kind: "running" }
  /** The worker wants blocks of the store. */
  | { readonly kind: "fetch"; readonly wants: readonly FetchWant[] }
  /** The worker needs packs that no sound table names: the list of tables gets them. */
  | { readonly kind: "search" }
  /** The worker has met a damaged table of the index. */
  | {
    readonly kind: "damagedTable";
    readonly name: string;
    readonly error: ErrorRecord;
  }
  /** A request that the main thread answers. */
  | { readonly kind: "request"; readonly request: Uint8Array }
  /** The request was interrupted. */
  | {
    readonly kind: "interrupt";
    readonly uniqueLow: number;
    readonly uniqueHigh: number;
  }
  /** All of a large content was served. */
  | {
    readonly kind: "served";
    readonly id: Uint8Array;
    readonly size: number;
  }
  /** A request got an error, for this reason. */
  | {
    readonly kind: "fault";
    readonly action: string;
    readonly path: Uint8Array;
    readonly error: ErrorRecord;
  }
  /** The worker answers no more requests; 0, or the error number of the device. */
  | { readonly kind: "ended"; readonly errno: number };
