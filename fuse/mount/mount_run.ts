import { idFromBytes, type IdMismatchError } from "@snap/hash";
import { SharedFrameCache } from "@snap/pack/cache";
import type { StoreReader } from "@snap/pack/read";
import { errnoName } from "@snap/posix/constants";
import { onExit } from "@snap/posix/worker";
import type { Posix } from "@snap/posix";
import { NotFoundError, type ReadStore, type StoreOptions } from "@snap/store";
import { ContentChecks } from "../content/content_checks.ts";
import { Forwarded, type RequestAnswerer } from "./forwarded.ts";
import type { MountControl } from "./mount_control.ts";
import type { FromMountWorker } from "./mount_messages.ts";
import { openMount, unmountPath } from "./mount_point.ts";
import type { MountWorkers } from "./mount_workers.ts";
import { ServedContents } from "../content/served_contents.ts";
import type { TableList } from "@snap/pack/objects";
import { type WorkerSource, workerSource } from "@snap/pack/ranges";
import { PackSearches } from "./pack_searches.ts";
import { raiseReadAhead } from "./read_ahead.ts";
import { startWatchdog, type Watchdog } from "./watchdog.ts";
import type { Counters } from "../counters.ts";
import type { ServedContent } from "../content/file_contents.ts";
import { MountError } from "./mount_error.ts";
import type { MountLog } from "./mount_log.ts";
import { findMount, readMountTable } from "./mount_table.ts";
import type { NodeTable } from "../nodes/node_table.ts";
import type { SessionOptions } from "../session/session_parts.ts";

/** The parts that a {@linkcode MountRun} is made of. */
export interface MountRunParts {
  readonly posix: Posix;
  readonly store: ReadStore;
  /** The reader of the main thread; another one after the index has grown. */
  readonly reader: () => StoreReader;
  readonly workers: MountWorkers;
  readonly control: MountControl;
  readonly counters: Counters;
  readonly nodes: NodeTable;
  readonly tables: TableList;
  /** Adds to the tables those of packs that no sound one names. */
  readonly findUnnamed: (options: StoreOptions) => Promise<void>;
  /** Says that a table of the index is damaged. */
  readonly tellDamage: (name: string, error: { message: string }) => void;
  /** The absolute path of the mount point. */
  readonly path: string;
  /** The source that the system shows. */
  readonly source: string;
  readonly allowOther: boolean;
  readonly session: Omit<SessionOptions, "isShared">;
  readonly cacheSize: number;
  readonly deadlineMs: number;
  readonly spinUs: number;
  /** Makes the answerer of requests about virtual nodes, in a mount of all. */
  readonly answererOf?: (device: number) => RequestAnswerer;
  readonly onLog: (line: MountLog) => void;
}

/** Memory for stored bytes that were fetched. */
const FETCHED_SIZE = 32 << 20;

/** A mount, from the call that makes it to the last thing that is left of it. */
export class MountRun {
  /** Resolves when nothing is left; rejects if it ended otherwise than by being unmounted. */
  readonly finished: Promise<void>;
  readonly #parts: MountRunParts;
  readonly #device: number;
  readonly #bytes: WorkerSource;
  readonly #checks: ContentChecks;
  readonly #searches: PackSearches;
  readonly #served = ServedContents.create();
  readonly #forwarded: Forwarded | undefined;
  readonly #running: Promise<void>;
  readonly #watchdog: Watchdog;
  /** The number of its file system, as `major:minor`; unknown without a table of mounts. */
  readonly #number: string | undefined;
  #deviceErrno = 0;
  #detached: Promise<void> | undefined;

  /**
   * Mounts, and has the workers answer.
   *
   * @throws {MountError} If it cannot be mounted.
   * @throws {WorkerError} If a worker cannot be started.
   */
  static async start(parts: MountRunParts): Promise<MountRun> {
    const { posix, path, onLog } = parts;
    const watchdog = await startWatchdog(path, (error) => {
      const { message: reason } = error as Error;
      const message =
        `Cannot start the watchdog of ${path}, which unmounts if this program is killed: ${reason}`;
      onLog({ level: "warning", message, error });
    });
    let device: number | undefined;
    let run: MountRun;
    try {
      device = await openMount(posix, parts);
      run = new MountRun(parts, device, watchdog);
    } catch (error) { // There may be too little memory.
      if (device !== undefined) {
        await unmountPath(posix, path, { isLazy: true, isApart: false });
        posix.close(device);
      }
      await watchdog.standDown();
      throw error;
    }
    try {
      await run.#running;
      raiseReadAhead(posix, run.#number);
      return run;
    } catch (error) {
      parts.workers.stop();
      await run.finished.catch(() => {});
      throw error;
    }
  }

  private constructor(
    parts: MountRunParts,
    device: number,
    watchdog: Watchdog,
  ) {
    const { posix, store, workers, control, counters, reader, path } = parts;
    const { deadlineMs } = parts;
    this.#parts = parts;
    this.#device = device;
    this.#number = numberAt(path);
    this.#watchdog = watchdog;
    watchdog.watch(this.#number);
    this.#bytes = workerSource(store, {
      count: workers.wakes.length,
      sizeMax: FETCHED_SIZE,
      deadlineMs,
      wake: (number) => workers.wake(number),
      onFault: (name, error) => {
        // Workers go on without a file that is gone, or say what needs it.
        if (error instanceof NotFoundError) return;
        this.#log("error", `Cannot read ${name}`, error);
      },
    });
    this.#checks = new ContentChecks({
      reader,
      counters,
      onLie: (content, error) => this.#takeLie(content, error),
      onFault: ({ id }, error) =>
        this.#log("warning", `Cannot check content ${idFromBytes(id)}`, error),
    });
    this.#searches = new PackSearches({
      tables: parts.tables,
      find: parts.findUnnamed,
      onFault: (error) =>
        this.#log("error", "Cannot read what packs say", error),
    });
    const answerer = parts.answererOf?.(device);
    this.#forwarded = answerer &&
      new Forwarded({
        ...{ posix, device, control, answerer, deadlineMs },
        onLate: () =>
          this.#log(
            "error",
            `Cannot list ${path}: the store gave no answer within ${deadlineMs} ms`,
          ),
      });
    this.#running = this.#begin();
    this.finished = this.#end();
    // A caller that waits later still gets the error.
    this.finished.catch(() => {});
  }

  /** Unmounts, out of sight at once where it is in use, and waits until nothing is left. */
  async unmount(): Promise<void> {
    this.#detached ??= this.#detach().catch((error) => {
      this.#detached = undefined; // So that it can be tried again.
      throw error;
    });
    await this.#detached;
    await this.finished;
  }

  /** Ends at once, also while it is in use: open files fail from now on. */
  async abort(): Promise<void> {
    this.#detached ??= Promise.resolve();
    this.#parts.workers.stop();
    await this.finished;
  }

  async #detach(): Promise<void> {
    if (!this.#isOurs()) return;
    const { posix, path } = this.#parts;
    try {
      await unmountPath(posix, path, this.#how(false));
    } catch (error) {
      if (!(error instanceof MountError)) throw error;
      if (error.code === "BUSY") await this.#unmountLazily();
      // Another program may have done it.
      else if (error.code !== "NOT_MOUNTED") throw error;
    }
  }

  async #unmountLazily(): Promise<void> {
    const { posix, path } = this.#parts;
    await unmountPath(posix, path, this.#how(true));
    this.#log(
      "warning",
      `${path} is in use: it is out of sight, and this program serves it until the last file in it is closed`,
    );
  }

  /** Unmounting may have to wait for requests, and those for fetches of this thread. */
  #how(isLazy: boolean): { isLazy: boolean; isApart: boolean } {
    return { isLazy, isApart: this.#bytes.fetcher !== undefined };
  }

  #begin(): Promise<void> {
    const { workers, control, counters, nodes, tables } = this.#parts;
    const { spinUs, deadlineMs, cacheSize } = this.#parts;
    const isShared = this.#parts.allowOther;
    const session = { ...this.#parts.session, isShared };
    const shared = {
      device: this.#device,
      wakes: workers.wakes,
      control: control.buffer,
      counters: counters.buffer,
      nodes: nodes.buffer,
      tables: tables.buffer,
      cache: SharedFrameCache.create({ sizeMax: cacheSize }).buffer,
      served: this.#served.buffer,
      session,
      spinUs,
      deadlineMs,
    };
    return workers.begin(
      (number) => ({
        ...shared,
        number,
        source: this.#bytes.sourceOf(number),
      }),
      (number, message) => this.#take(number, message),
    );
  }

  #take(number: number, message: FromMountWorker): void {
    switch (message.kind) {
      case "fetch":
        return this.#bytes.fetcher?.take(number, message.wants);
      case "search":
        return this.#searches.take();
      case "damagedTable":
        return this.#parts.tellDamage(message.name, message.error);
      case "request":
        return this.#forwarded?.take(message.request);
      case "interrupt":
        return this.#forwarded?.interrupt(
          message.uniqueLow,
          message.uniqueHigh,
        );
      case "served":
        return this.#checks.add(message);
      case "fault": {
        const path = new TextDecoder().decode(message.path);
        const what = `${message.action} failed: ${path || "/"}`;
        return this.#log("error", what, message.error);
      }
      case "ended":
        if (message.errno === 0) return;
        this.#deviceErrno = message.errno;
        this.#parts.workers.stop();
    }
  }

  /** Waits for the workers, and takes everything away in the order in which it came. */
  async #end(): Promise<void> {
    const { posix, workers, control, path } = this.#parts;
    const takeBack = onExit(() => workers.stop());
    const failures = await workers.ended();
    takeBack();
    await this.#bytes.fetcher?.stop();
    await this.#searches.stop();
    await this.#checks.stop();
    this.#forwarded?.stop();
    // If it is still mounted, requests to it would wait for ever.
    if (control.isStopped && this.#isOurs()) {
      await unmountPath(posix, path, { isLazy: true, isApart: false })
        .catch((error) => this.#log("error", error.message, error));
    }
    posix.close(this.#device);
    await this.#watchdog.standDown();
    if (failures.length > 0) throw failures[0];
    if (this.#deviceErrno === 0) return;
    const name = errnoName(this.#deviceErrno);
    throw new MountError(
      "FAILED",
      `Cannot serve ${path}: its device failed with ${name}`,
      { hint: "see what the kernel says by: dmesg" },
    );
  }

  /** Whether this mount is the one at its path: it may be out of sight, and another one in its place. */
  #isOurs(): boolean {
    return numberAt(this.#parts.path) === this.#number;
  }

  #takeLie({ id }: ServedContent, error: IdMismatchError): void {
    this.#served.markBad(id, 0);
    this.#log(
      "error",
      `Content ${idFromBytes(id)} is not what its id says`,
      error,
    );
  }

  #log(level: MountLog["level"], message: string, error?: unknown): void {
    const reason = (error as { message?: string } | undefined)?.message;
    const text = reason === undefined ? message : `${message}: ${reason}`;
    this.#parts.onLog({ level, message: text, error });
  }
}

/** The number of the file system that is mounted on a path. */
function numberAt(path: string): string | undefined {
  return findMount(readMountTable(), path)?.device;
}
