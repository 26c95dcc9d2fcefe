import type { ErrorRecord } from "./error_record.ts";

/** What a worker sends to the one who started it. */
export type FromWorker =
  /** It listens; what came before would be lost. */
  | { readonly kind: "ready" }
  | { readonly kind: "message"; readonly message: unknown }
  /** It failed, and ends. */
  | { readonly kind: "error"; readonly record: ErrorRecord }
  /** It did all it was asked, and ends. */
  | { readonly kind: "done" };

/** What a worker is sent. */
export type ToWorker =
  | { readonly kind: "message"; readonly message: unknown }
  | { readonly kind: "end" };

/** Whether this is Deno, which has a `Worker` twice as quick to start. */
export const onDeno: boolean = typeof Deno !== "undefined";

/** Loaded where it is used: on Deno it costs start-up and is not. */
export const threads: typeof import("node:worker_threads") | undefined = onDeno
  ? undefined
  : await import("node:worker_threads");
