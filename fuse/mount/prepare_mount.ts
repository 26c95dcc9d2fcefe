/**
 * Starts a worker of a mount before the snapshot is known.
 *
 * @module
 */
import type { HasherName } from "@snap/hash";
import { besideUrl, startWorker, type WorkerHandle } from "@snap/posix/worker";
import type { ToMountWorker } from "./mount_messages.ts";

/** A worker that loads what it needs, for a mount that is to come. */
export class PreparedMount {
  /** Which hasher it loads. */
  readonly hasher: HasherName;
  /** The worker. */
  readonly worker: WorkerHandle;

  /** Use {@linkcode prepareMount}. */
  constructor(hasher: HasherName, worker: WorkerHandle) {
    this.hasher = hasher;
    this.worker = worker;
  }

  /** Ends it, where no mount has taken it. */
  async end(): Promise<void> {
    // It may have failed to load the hasher; a mount with that hasher says so.
    await this.worker.drop().catch(() => {});
  }
}

/**
 * Starts a worker, which takes longer than all else that a mount needs. A program that will mount
 * calls this first, loads its other modules, and hands over what it gets as an option of `mount`.
 *
 * @param hasher Which hasher will be given to `mount`; a worker with another one is not used
 * @returns An option of `mount`; it is to be ended if no mount takes it
 *
 * @example
 * ```ts
 * import { prepareMount } from "@snap/fuse/prepare";
 *
 * const prepared = prepareMount("wasm");
 * await prepared.end();
 * ```
 */
export function prepareMount(hasher: HasherName): PreparedMount {
  const worker = startWorker(besideUrl(import.meta.url, "mount_worker"));
  worker.postMessage({ kind: "prepare", hasher } satisfies ToMountWorker);
  return new PreparedMount(hasher, worker);
}

/** Never called: makes the worker part of a program that is fetched or bundled. */
export function prefetchMountWorker(): Promise<unknown> {
  return import("./mount_worker.ts");
}
