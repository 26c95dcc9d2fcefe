/** The worker of this package, as source or as built. */
export function workerUrl(): URL {
  const isSource = import.meta.url.endsWith(".ts");
  return new URL(isSource ? "./worker.ts" : "./worker.js", import.meta.url);
}

/** Never called: makes the worker part of the program for those who fetch or bundle it. */
export function prefetchFormatsWorker(): Promise<unknown> {
  return import("./worker.ts");
}
