import type { ErrorRecord } from "./error_record.ts";

/** Message of a worker to its starter. */
export type FromWorker =
  /** The worker listens; messages before would be lost. */
  | { readonly kind: "ready" }
  | { readonly kind: "message"; readonly message: unknown }
  /** The worker failed, and ends. */
  | { readonly kind: "error"; readonly record: ErrorRecord }
  /** The worker has done its work, and ends. */
  | { readonly kind: "done" };

/** Message to a worker. */
export type ToWorker =
  | { readonly kind: "message"; readonly message: unknown }
  | { readonly kind: "end" };

/** Whether this is Deno, which has a `Worker` twice as quick to start. */
export const onDeno: boolean = typeof Deno !== "undefined";

/** Loaded where it is used: on Deno it costs start-up and is not. */
export const threads: typeof import("node:worker_threads") | undefined = onDeno
  ? undefined
  : await import("node:worker_threads");
