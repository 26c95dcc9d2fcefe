import { besideUrl } from "@snap/posix/worker";

/** The worker of this package. */
export function workerUrl(): URL {
  return besideUrl(import.meta.url, "sync_worker");
}

/** Never called: makes the worker part of the program for those who fetch or bundle it. */
export function prefetchSyncWorker(): Promise<unknown> {
  return import("./sync_worker.ts");
}
