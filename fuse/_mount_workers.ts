import { wake } from "./_device_loop.ts";
import { startWorker, type WorkerHandle } from "@snap/posix/worker";
import type { Posix } from "@snap/posix/posix";
import type { MountControl } from "./_mount_control.ts";
import type {
  FromMountWorker,
  MountWorkerConfig,
  ToMountWorker,
} from "./_mount_messages.ts";

/** Takes what worker `number` says. */
export type OnMountMessage = (number: number, message: FromMountWorker) => void;

/** The workers of a mount. They are started before it is known what they will serve. */
export class MountWorkers {
  /** The eventfd of each. */
  readonly wakes: number[] = [];
  readonly #posix: Posix;
  readonly #control: MountControl;
  readonly #handles: WorkerHandle[] = [];
  readonly #running = Promise.withResolvers<void>();
  #onMessage: OnMountMessage = () => {};

  /**
   * Starts workers.
   *
   * @param count How many.
   * @param parts The calls, the words that end all, and which hasher is loaded.
   */
  constructor(
    count: number,
    parts: {
      readonly posix: Posix;
      readonly control: MountControl;
      readonly hasher: "wasm" | "native";
    },
  ) {
    const { posix, control, hasher } = parts;
    this.#posix = posix;
    this.#control = control;
    this.#running.promise.catch(() => {});
    for (let number = 0; number < count; number++) {
      const handle = startWorker(new URL(workerUrl(), import.meta.url));
      handle.onMessage((message) =>
        this.#take(number, message as FromMountWorker)
      );
      handle.onError((error) => {
        this.#running.reject(error);
        this.stop();
      });
      handle.postMessage({ kind: "prepare", hasher } satisfies ToMountWorker);
      this.#handles.push(handle);
      this.wakes.push(posix.eventfd(0));
    }
  }

  /**
   * Has the workers answer requests.
   *
   * @param configOf What each needs.
   * @param onMessage Takes what they say.
   * @returns Resolves when one of them answers; rejects if one fails before.
   */
  begin(
    configOf: (number: number) => MountWorkerConfig,
    onMessage: OnMountMessage,
  ): Promise<void> {
    this.#onMessage = onMessage;
    this.#handles.forEach((handle, number) => {
      const config = configOf(number);
      handle.postMessage({ kind: "begin", config } satisfies ToMountWorker);
    });
    return this.#running.promise;
  }

  /** Wakes a worker, if it has not ended. */
  wake(number: number): void {
    const eventfd = this.wakes[number];
    if (eventfd !== undefined) wake(this.#posix, eventfd);
  }

  /** Tells all to end at once. */
  stop(): void {
    this.#control.stop();
    for (const eventfd of this.wakes) wake(this.#posix, eventfd);
  }

  /**
   * Waits until all have ended: by themselves when the mount is gone, or because they were told.
   *
   * @returns What those that failed have thrown.
   */
  async ended(): Promise<unknown[]> {
    const ends = this.#handles.map((handle) => handle.end());
    const results = await Promise.allSettled(ends);
    for (const eventfd of this.wakes.splice(0)) this.#posix.close(eventfd);
    return results.filter((result) => result.status === "rejected")
      .map(({ reason }) => reason);
  }

  #take(number: number, message: FromMountWorker): void {
    if (message.kind === "running") this.#running.resolve();
    else this.#onMessage(number, message);
  }
}

/** The worker stands beside this module, as source or as built. */
function workerUrl(): string {
  return import.meta.url.endsWith(".ts")
    ? "./mount_worker.ts"
    : "./mount_worker.js";
}

/** Never called: makes the worker part of the program for those who fetch or bundle it. */
export function prefetchMountWorker(): Promise<unknown> {
  return import("./mount_worker.ts");
}
