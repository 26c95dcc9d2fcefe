import { besideUrl } from "@snap/posix/worker";

/** The worker of this package. */
export function workerUrl(): URL {
  return besideUrl(import.meta.url, "restore_worker");
}

/** Never called: makes the worker part of the program for those who fetch or bundle it. */
export function prefetchRestoreWorker(): Promise<unknown> {
  return import("./restore_worker.ts");
}
