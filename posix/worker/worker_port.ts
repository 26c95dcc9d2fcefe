/**
 * The worker's side of {@linkcode startWorker}.
 *
 * @module
 */

import { type FromWorker, onDeno, threads, type ToWorker } from "./threads.ts";
import { errorRecord } from "./error_record.ts";

/** A worker's way to speak with its starter. */
export interface WorkerPort {
  /**
   * Sends a message.
   *
   * @param message What structured clone takes; no class survives it.
   * @param transfer Memory that is moved, not copied.
   */
  postMessage(message: unknown, transfer?: ArrayBuffer[]): void;
  /**
   * Says what to do with a message; to be called once. What the handler throws or rejects with
   * ends the worker and reaches the starter.
   *
   * @param handler Called for each message, after the one before is dealt with.
   */
  onMessage(handler: (message: unknown) => void | Promise<void>): void;
  /** Ends the worker when all messages are dealt with that have come, as if asked to. */
  close(): void;
}

/** A worker's own end as a runtime gives it. */
interface Thread {
  post(message: FromWorker, transfer: ArrayBuffer[]): void;
  listen(handler: (message: ToWorker) => void): void;
  exit(): void;
  /** Calls back for what nobody caught, and before an exit that was not asked for. */
  watch(onError: (error: unknown) => void, onExit: () => void): void;
}

let port: WorkerPort | undefined;

/**
 * The port of this worker.
 *
 * @returns The port, always the same one; nothing if this is not a worker.
 *
 * @example
 * ```ts
 * import { workerPort } from "@snap/posix/worker-port";
 *
 * const port = workerPort();
 * port?.onMessage((message) => port.postMessage({ echo: message }));
 * ```
 */
export function workerPort(): WorkerPort | undefined {
  if (port === undefined) {
    const thread = onDeno ? denoThread() : nodeThread();
    if (thread !== undefined) port = portOf(thread);
  }
  return port;
}

function portOf(thread: Thread): WorkerPort {
  let handled: Promise<void> = Promise.resolve();
  let over = false;
  const leave = (last: FromWorker) => {
    if (over) return;
    over = true;
    thread.post(last, []);
    thread.exit();
  };
  const fail = (error: unknown) =>
    leave({ kind: "error", record: errorRecord(error) });
  const close = () => void handled.then(() => leave({ kind: "done" }));
  thread.watch(
    fail,
    () => fail(new Error("Cannot go on: the worker ended without being asked")),
  );
  return {
    postMessage(message, transfer = []) {
      if (!over) thread.post({ kind: "message", message }, transfer);
    },
    onMessage(handler) {
      thread.listen((received) => {
        if (received.kind === "end") return close();
        handled = handled
          .then(() => over ? undefined : handler(received.message))
          .catch(fail);
      });
      thread.post({ kind: "ready" }, []);
    },
    close,
  };
}

function nodeThread(): Thread | undefined {
  const parent = threads?.parentPort;
  if (!parent) return undefined;
  let leaving = false;
  return {
    post: (message, transfer) => parent.postMessage(message, transfer),
    listen: (handler) => void parent.on("message", handler),
    exit() {
      if (!leaving) process.exit();
    },
    watch(onError, onExit) {
      // Rejections that nobody handles come here, too.
      process.on("uncaughtException", onError);
      process.on("exit", () => {
        leaving = true;
        onExit();
      });
    },
  };
}

interface Scope extends EventTarget {
  WorkerGlobalScope?: abstract new () => unknown;
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  close(): void;
}

function denoThread(): Thread | undefined {
  const scope = globalThis as unknown as Scope;
  if (
    !scope.WorkerGlobalScope || !(globalThis instanceof scope.WorkerGlobalScope)
  ) {
    return undefined;
  }
  const close = scope.close.bind(scope);
  return {
    post: (message, transfer) => scope.postMessage(message, transfer),
    listen(handler) {
      scope.addEventListener(
        "message",
        (event) => handler((event as MessageEvent).data),
      );
    },
    exit: close,
    watch(onError, onExit) {
      scope.addEventListener("error", (event) => {
        event.preventDefault();
        onError((event as ErrorEvent).error);
      });
      scope.addEventListener("unhandledrejection", (event) => {
        event.preventDefault();
        onError((event as PromiseRejectionEvent).reason);
      });
      // Nobody is told when a worker closes itself: `unload` comes for an exit, not for a close.
      scope.addEventListener("unload", onExit);
      scope.close = onExit;
    },
  };
}
