import { storePlace } from "@snap/disk/source";
import { type RecordedSave, save, type SaveResult } from "@snap/save";
import { type Identified, identify } from "@snap/save/identify";
import type { SaveProgress } from "@snap/save";
import type { RestoreProgress } from "@snap/restore";
import type { Call, CallStore, Service } from "../service.ts";

/** A directory of a root for the time of a call. */
export class Project {
  /** Its path, without links. */
  readonly directory: string;
  /** The store that it is saved into. */
  readonly store: CallStore;
  /** The call. */
  readonly call: Call;
  readonly #service: Service;

  /** Names a directory that was looked at. */
  constructor(
    directory: string,
    { store, call, service }: {
      readonly store: CallStore;
      readonly call: Call;
      readonly service: Service;
    },
  ) {
    this.directory = directory;
    this.store = store;
    this.call = call;
    this.#service = service;
  }

  /** Threads that a save or a restore may use. */
  get workers(): number {
    return this.#service.options.workers ?? 0;
  }

  /** Saves it: opens what has changed since the save before. */
  async save(message: string | undefined): Promise<RecordedSave> {
    return await this.#service.workspaces.save(this.directory, {
      ...message !== undefined && { message },
      signal: this.call.signal,
      onProgress: (progress) => this.tell(progress),
    });
  }

  /** Tells what a save would do, and stores nothing. */
  async dryRun(): Promise<SaveResult> {
    return await save(this.store.snapshots, this.directory, {
      dryRun: true,
      host: this.#service.options.host ?? "",
      workers: this.workers,
      signal: this.call.signal,
      onProgress: (progress) => this.tell(progress),
    });
  }

  /** Names what stands there now: reads all of it, and stores nothing. */
  async identify(): Promise<Identified> {
    const { hasher, store } = this.store.snapshots;
    const place = storePlace(store);
    return await identify(this.directory, {
      hasher,
      workers: this.workers,
      keepTrees: true,
      ...place && { excludeStore: place.identity },
      signal: this.call.signal,
      onProgress: (progress) => this.tell(progress),
    });
  }

  /** Tells the client how far a save or a restore is. */
  tell(progress: SaveProgress | RestoreProgress): void {
    const { fileCount, foundFileCount } = progress;
    this.call.onProgress({ done: fileCount, total: foundFileCount });
  }
}
