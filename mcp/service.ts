import type { Snapshots } from "@snap/snapshot";
import type { WriteStore } from "@snap/store";
import { Limiter } from "@snap/store/wrap";
import { CALLS_MAX, CALLS_WAITING_MAX } from "./limits.ts";
import { RootRecords } from "./roots/root_records.ts";
import type { OpenedSnapshots } from "./opened_snapshots.ts";
import { Workspaces } from "./projects/workspaces.ts";
import type { Roots } from "./roots/roots.ts";
import { ToolError } from "./tool_error.ts";

/** Who serves what. */
export interface ServiceOptions {
  /** Opens the store: for each call anew, so that it sees what others have written. */
  readonly open: () => Promise<OpenedSnapshots>;
  /** Directories in which tools may work. */
  readonly roots: Roots;
  /** Whether tools that write are left out. */
  readonly isReadOnly?: boolean;
  /** Whether snapshots of other folders and hosts may be read, too. */
  readonly isAny?: boolean;
  /** The name of the machine, for records. */
  readonly host?: string | undefined;
  /** The name of the user, for records. */
  readonly user?: string;
  /** The program, for records. */
  readonly program?: string;
  /** Threads of a save or a restore; none does all in this thread. */
  readonly workers?: number;
}

/** How far a call is. */
export interface CallProgress {
  /** Files that are done. */
  readonly done: number;
  /** Files that were found so far. */
  readonly total: number;
}

/** One call of a tool: what bounds it, and who waits. */
export interface Call {
  /** Directories in which it may work. */
  readonly roots: Roots;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Told how far it is. */
  readonly onProgress: (progress: CallProgress) => void;
}

/** A store for the time of a call, with the records that the call may see. */
export interface CallStore {
  /** All that it has. */
  readonly snapshots: Snapshots<WriteStore>;
  /** The records that the call may see. */
  readonly records: RootRecords;
}

/** Lets calls work on a store, some at once; those that change a directory one after the other. */
export class Service implements AsyncDisposable {
  /** Who serves what. */
  readonly options: ServiceOptions;
  readonly #calls: Limiter = new Limiter({ requestsMax: CALLS_MAX });
  readonly #changes: Limiter = new Limiter({ requestsMax: 1 });
  /** Directories that were saved, and are watched for the next save. */
  readonly workspaces: Workspaces;
  readonly #running = new Set<Promise<unknown>>();

  /** Opens nothing yet. */
  constructor(options: ServiceOptions) {
    this.options = options;
    const { host = "", user = "", program = "", workers = 0 } = options;
    const same = { host, user, program, workers };
    this.workspaces = new Workspaces(() => this.options.open(), same);
  }

  /**
   * Does something with the store that changes no directory of the disk.
   *
   * @param use Gets the store.
   * @returns What it returns.
   * @throws {ToolError} If too many calls wait.
   */
  read<T>(call: Call, use: (store: CallStore) => Promise<T>): Promise<T> {
    return this.#run(() => this.#withStore(call, use));
  }

  /**
   * Does something that saves or changes a directory: when no other call does.
   *
   * @param use Gets the store.
   * @returns What it returns.
   * @throws {ToolError} If too many calls wait.
   */
  change<T>(call: Call, use: (store: CallStore) => Promise<T>): Promise<T> {
    const request = { bytes: 0, signal: call.signal };
    return this.#run(() =>
      this.#changes.run(request, () => this.#withStore(call, use))
    );
  }

  /** Waits until no call is at work any more, and watches nothing from then on. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.settled();
    await this.workspaces[Symbol.asyncDispose]();
  }

  /** Waits until no call is at work any more. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  async #run<T>(run: () => Promise<T>): Promise<T> {
    if (this.#running.size >= CALLS_WAITING_MAX) {
      throw new ToolError(
        `Cannot take this call: ${CALLS_WAITING_MAX} others wait`,
        "try again when one is answered",
      );
    }
    const running = run();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async #withStore<T>(
    { signal, roots }: Call,
    use: (store: CallStore) => Promise<T>,
  ): Promise<T> {
    return await this.#calls.run({ bytes: 0, signal }, async () => {
      const { open, host, isAny = false } = this.options;
      const opened = await open();
      try {
        const { snapshots } = opened;
        const bounds = { roots, host, isAny };
        const records = new RootRecords(snapshots, bounds);
        return await use({ snapshots, records });
      } finally {
        await opened[Symbol.asyncDispose]();
      }
    });
  }
}
