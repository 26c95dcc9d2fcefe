import type { HasherName } from "@snap/hash";
import { errnoMessage } from "@snap/posix/constants";
import type { Posix } from "@snap/posix";
import type { WorkerHandle } from "@snap/posix/worker";
import type { MountControl } from "./mount_control.ts";
import type {
  FromMountWorker,
  MountWorkerConfig,
  ToMountWorker,
} from "./mount_messages.ts";
import { MountError } from "./mount_error.ts";
import { type PreparedMount, prepareMount } from "./prepare_mount.ts";
import { wake } from "../device/wake.ts";

/** The parts that {@linkcode MountWorkers} is made of. */
export interface MountWorkersParts {
  readonly posix: Posix;
  readonly control: MountControl;
  readonly hasher: HasherName;
  readonly prepared?: PreparedMount;
}

/** Takes a message of worker `number`. */
export type OnMountMessage = (number: number, message: FromMountWorker) => void;

/** The workers of a mount. The first is started before it is known what they will serve. */
export class MountWorkers {
  /** The eventfd of each. */
  readonly wakes: number[] = [];
  readonly #parts: MountWorkersParts;
  readonly #handles: WorkerHandle[] = [];
  readonly #running = Promise.withResolvers<void>();
  #onMessage: OnMountMessage = () => {};
  #beginning: Promise<void> = Promise.resolve();
  #isOver = false;

  /**
   * Starts the first worker, or takes the one that was prepared.
   *
   * @throws {MountError} If there can be no more descriptors.
   */
  constructor(count: number, parts: MountWorkersParts) {
    this.#parts = parts;
    this.#running.promise.catch(() => {});
    for (let i = 0; i < count; i++) this.#addWake();
    this.#add(parts.prepared ?? prepareMount(parts.hasher));
  }

  /**
   * Has the workers answer requests: the first one at once, then others.
   *
   * @returns Resolves when the mount answers; rejects if a worker fails before.
   */
  begin(
    configOf: (number: number) => MountWorkerConfig,
    onMessage: OnMountMessage,
  ): Promise<void> {
    this.#onMessage = onMessage;
    this.#begin(configOf(0));
    this.#beginning = this.#beginOthers(configOf);
    this.#beginning.catch(() => this.stop());
    return this.#running.promise;
  }

  /** Wakes a worker, if it has not ended. */
  wake(number: number): void {
    const eventfd = this.wakes[number];
    if (eventfd !== undefined) wake(this.#parts.posix, eventfd);
  }

  /** Tells all to end at once. */
  stop(): void {
    this.#parts.control.stop();
    for (const eventfd of this.wakes) wake(this.#parts.posix, eventfd);
  }

  /**
   * Waits until all have ended: by themselves when the mount is gone, or because they were told.
   */
  async ended(): Promise<unknown[]> {
    const first = this.#handles[0].end();
    await Promise.race([this.#beginning, first]).catch(() => {});
    this.#isOver = true;
    // It may have been unmounted before it answered.
    this.#running.resolve();
    const results = await Promise.allSettled([
      this.#beginning,
      first,
      ...this.#handles.slice(1).map((handle) => handle.end()),
    ]);
    this.#closeWakes();
    return results.filter((result) => result.status === "rejected")
      .map(({ reason }) => reason);
  }

  /** Makes the eventfd that wakes a worker. */
  #addWake(): void {
    const eventfd = this.#parts.posix.eventfd(0);
    if (eventfd >= 0) return void this.wakes.push(eventfd);
    this.#closeWakes();
    throw new MountError(
      "FAILED",
      `Cannot mount: ${errnoMessage(eventfd)}`,
      { hint: "close files that are open" },
    );
  }

  #closeWakes(): void {
    for (const eventfd of this.wakes.splice(0)) {
      this.#parts.posix.close(eventfd);
    }
  }

  #begin(config: MountWorkerConfig): void {
    const message: ToMountWorker = { kind: "begin", config };
    this.#handles[config.number].postMessage(message);
  }

  /** Not before the first one answers: starting one holds this thread up for 15 ms. */
  async #beginOthers(
    configOf: (number: number) => MountWorkerConfig,
  ): Promise<void> {
    await this.#running.promise;
    await new Promise((resolve) => setTimeout(resolve));
    for (let number = 1; number < this.wakes.length; number++) {
      if (this.#isOver) return;
      this.#add(prepareMount(this.#parts.hasher));
      this.#begin(configOf(number));
    }
  }

  #add(prepared: PreparedMount): void {
    const number = this.#handles.length;
    const { worker } = prepared;
    worker.onMessage((message) =>
      this.#take(number, message as FromMountWorker)
    );
    worker.onError((error) => {
      this.#running.reject(error);
      this.stop();
    });
    this.#handles.push(worker);
  }

  #take(number: number, message: FromMountWorker): void {
    if (message.kind === "running") this.#running.resolve();
    else this.#onMessage(number, message);
  }
}
