/**
 * Starting a worker, in the way that is best on each runtime.
 *
 * @module
 */

import { type FromWorker, threads, type ToWorker } from "./threads.ts";
import { type ErrorRecord, errorRecord } from "./error_record.ts";

/** A worker failed. */
export class WorkerError extends Error {
  /** Always `WorkerError`. */
  override readonly name: string = "WorkerError";
  /** The error of the worker as a record, from which one of its class can be made. */
  readonly record: ErrorRecord;

  /** Makes the error of a worker. */
  constructor(record: ErrorRecord) {
    super(`Cannot go on after a worker failed: ${record.message}`);
    this.record = record;
  }
}

/** A worker, as the one who started it sees it. */
export interface WorkerHandle {
  /**
   * Sends a message. Those before the worker listens wait for it; those after it ended are lost.
   *
   * @param message What structured clone takes.
   * @param transfer Memory that is moved, not copied.
   */
  postMessage(message: unknown, transfer?: ArrayBuffer[]): void;
  /**
   * Says what to do with the worker's messages; to be called before the next wait.
   *
   * @param handler Called for each message.
   */
  onMessage(handler: (message: unknown) => void): void;
  /**
   * Says what to do if the worker fails, for those who do not wait for {@linkcode ended}.
   *
   * @param handler Called once at most.
   */
  onError(handler: (error: WorkerError) => void): void;
  /**
   * Asks the worker to end after what it does. A loop that never waits does not hear this: such
   * a worker looks at a word in shared memory, too.
   *
   * @returns The same as {@linkcode ended}.
   */
  end(): Promise<void>;
  /**
   * Ends a worker for which there is no more use: one that does not listen yet is terminated, and
   * what waits for it is lost; any other is asked to {@linkcode end}.
   *
   * @returns The same as {@linkcode ended}.
   */
  drop(): Promise<void>;
  /**
   * Resolves when the worker has answered that it is done, or was dropped; rejects with a
   * {@linkcode WorkerError} if it failed, or ended without an answer. Whoever starts a worker waits
   * for this.
   */
  readonly ended: Promise<void>;
}

/** A worker as a runtime gives it to its starter. */
interface Thread {
  post(message: ToWorker, transfer: ArrayBuffer[]): void;
  /** Ends it at once, wherever it is. */
  terminate(): void;
}

interface Listener {
  received(message: FromWorker): void;
  failed(error: unknown): void;
  exited(): void;
}

/**
 * Starts a worker. Once it listens it is never terminated: ask it to {@linkcode WorkerHandle.end}.
 *
 * The module must call `workerPort` of `@snap/posix/worker-port` and listen. So that it is
 * fetched and published with the module that starts it, put an `import()` of it there in a
 * function that is never called.
 *
 * @param url Address of the worker's module, usually `new URL("./x.ts", import.meta.url)`.
 * @returns The worker; it takes messages at once.
 */
export function startWorker(url: URL): WorkerHandle {
  let resolve: () => void = () => {};
  let reject: (error: WorkerError) => void = () => {};
  const ended = new Promise<void>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  // Who waits later still gets it: without this the program would end before.
  ended.catch(() => {});
  let state: "starting" | "ready" | "done" | "over" = "starting";
  let waiting: { message: ToWorker; transfer: ArrayBuffer[] }[] = [];
  let onMessage: (message: unknown) => void = () => {};
  let onError: (error: WorkerError) => void = () => {};
  const fail = (record: ErrorRecord) => {
    if (state === "over") return;
    state = "over";
    const error = new WorkerError(record);
    reject(error);
    onError(error);
  };
  const listener: Listener = {
    received(received) {
      if (state === "over" || state === "done") return;
      if (received.kind === "message") return onMessage(received.message);
      if (received.kind === "error") return fail(received.record);
      state = received.kind;
      for (const { message, transfer } of waiting) {
        thread.post(message, transfer);
      }
      waiting = [];
    },
    failed: (error) => fail(errorRecord(error)),
    exited() {
      if (state !== "done") {
        return fail(errorRecord("it ended without an answer"));
      }
      state = "over";
      resolve();
    },
  };
  const thread = threads === undefined
    ? denoThread(url, listener)
    : nodeThread(url, listener);
  const post = (message: ToWorker, transfer: ArrayBuffer[]) => {
    if (state === "starting") waiting.push({ message, transfer });
    else if (state === "ready") thread.post(message, transfer);
  };
  return {
    postMessage: (message, transfer = []) =>
      post({ kind: "message", message }, transfer),
    onMessage: (handler) => void (onMessage = handler),
    onError: (handler) => void (onError = handler),
    end() {
      post({ kind: "end" }, []);
      return ended;
    },
    drop() {
      if (state !== "starting") return this.end();
      state = "done";
      waiting = [];
      thread.terminate();
      return ended;
    },
    ended,
  };
}

function denoThread(url: URL, listener: Listener): Thread {
  const worker = new Worker(url, { type: "module" });
  worker.addEventListener("message", (event) => {
    const received = (event as MessageEvent<FromWorker>).data;
    listener.received(received);
    // Deno does not tell that a worker is gone; after this message it closes itself.
    if (received.kind === "done") listener.exited();
  });
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    const { message, error } = event as ErrorEvent;
    listener.failed(error ?? new Error(message));
  });
  worker.addEventListener(
    "messageerror",
    () => listener.failed("its message cannot be read"),
  );
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    terminate() {
      worker.terminate();
      listener.exited();
    },
  };
}

function nodeThread(url: URL, listener: Listener): Thread {
  const { Worker } = threads!;
  // A remote module is refused; a module of data that imports it is not.
  const direct = url.protocol === "file:" || url.protocol === "data:";
  const shim = new URL(
    `data:text/javascript,import ${JSON.stringify(url.href)}`,
  );
  const worker = new Worker(direct ? url : shim);
  worker.on("message", (received: FromWorker) => listener.received(received));
  worker.on("error", (error) => listener.failed(error));
  worker.on(
    "messageerror",
    () => listener.failed("its message cannot be read"),
  );
  worker.on("exit", () => listener.exited());
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    terminate: () => void worker.terminate(),
  };
}
