/**
 * Base of all wrappers.
 *
 * @module
 */
import { adoptFile, spoolPathOf } from "../adopt_file.ts";
import type { StoreAction } from "../errors.ts";
import type {
  PruneStore,
  ReadOptions,
  StoreEntry,
  StoreOptions,
} from "../store.ts";

/** A call of a store, for what is put around it. */
export interface StoreCall {
  /** The action. */
  readonly action: StoreAction;
  /** The name in the store, or the prefix. */
  readonly name: string;
  /** How many bytes it sends, or asks for where that is known. */
  readonly bytes: number;
  /** Ends the call. */
  readonly signal: AbortSignal | undefined;
}

/** A store around a store: each call goes through one method. */
export abstract class AroundStore implements PruneStore {
  /** The store beneath. */
  protected readonly inner: PruneStore;
  /** The file that holds a name, where the store beneath has files. */
  readonly localPath?: (name: string) => string;
  /** Goes on with files of processes that have ended, where the store beneath keeps such. */
  readonly finishUploads?: (options?: StoreOptions) => Promise<number>;
  /** Lists uploads that are not finished, where the store beneath has such. */
  readonly listUploads?: PruneStore["listUploads"];

  /** Wraps a store. */
  constructor(inner: PruneStore) {
    this.inner = inner;
    if (inner.localPath !== undefined) {
      this.localPath = inner.localPath.bind(inner);
    }
    if (inner.finishUploads !== undefined) {
      this.finishUploads = inner.finishUploads.bind(inner);
    }
    if (inner.listUploads !== undefined) {
      this.listUploads = inner.listUploads.bind(inner);
    }
  }

  /**
   * Runs one call.
   *
   * @param run Runs it, with another signal if one is given.
   * @returns What it returns.
   */
  protected abstract around<T>(
    call: StoreCall,
    run: (signal?: AbortSignal) => Promise<T>,
  ): Promise<T>;

  /**
   * Reads a name or a range of it.
   *
   * @param options The range, and a signal.
   * @throws {NotFoundError} If the name is absent.
   * @throws {StoreError} If it cannot be read.
   */
  read(name: string, options?: ReadOptions): Promise<Uint8Array> {
    const bytes = options?.length ?? 0;
    return this.#run("read", name, bytes, options, (options) => {
      return this.inner.read(name, options);
    });
  }

  /**
   * Says how many bytes a name holds.
   *
   * @returns The size in bytes, or undefined if the name is absent.
   * @throws {StoreError} If the store cannot tell.
   */
  size(name: string, options?: StoreOptions): Promise<number | undefined> {
    return this.#run("size", name, 0, options, (options) => {
      return this.inner.size(name, options);
    });
  }

  /**
   * Lists every name that begins with a prefix; each batch is a call.
   *
   * @param prefix What the names begin with.
   * @returns Batches of entries.
   * @throws {StoreError} If the store cannot be listed.
   */
  async *list(
    prefix: string,
    options?: StoreOptions,
  ): AsyncGenerator<StoreEntry[]> {
    const signal = options?.signal;
    const batches = this.inner.list(prefix, options)[Symbol.asyncIterator]();
    const call = { action: "list", name: prefix, bytes: 0, signal } as const;
    try {
      while (true) {
        const next = await this.around(call, () => batches.next());
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await batches.return?.();
    }
  }

  /**
   * Creates a name if it is absent.
   *
   * @returns True if this call created the name.
   * @throws {StoreError} If it could not be created.
   */
  create(
    name: string,
    bytes: Uint8Array,
    options?: StoreOptions,
  ): Promise<boolean> {
    // What is no bytes is refused beneath.
    const size = bytes?.length ?? 0;
    return this.#run("create", name, size, options, (options) => {
      return this.inner.create(name, bytes, options);
    });
  }

  /**
   * Takes over a finished local file as a name.
   *
   * @param path The file, which is gone afterwards.
   * @returns True if this call created the name.
   * @throws {StoreError} If it could not be created.
   */
  adopt(name: string, path: string, options?: StoreOptions): Promise<boolean> {
    return this.#run("adopt", name, 0, options, (options) => {
      return adoptFile(this.inner, { name, path }, options);
    });
  }

  /**
   * Where a file for {@link AroundStore.adopt} is cheapest to make.
   *
   * @param saveId The save id, 32 hex digits.
   * @returns A path that no other call gets.
   */
  spoolPath(saveId: string): string | Promise<string> {
    return spoolPathOf(this.inner, saveId);
  }

  /**
   * Makes everything durable below some prefixes.
   *
   * @param prefixes Prefixes of names.
   * @throws {StoreError} If something could not be made durable.
   */
  sync(prefixes: string[], options?: StoreOptions): Promise<void> {
    return this.#run("sync", prefixes.join(" "), 0, options, (options) => {
      return this.inner.sync(prefixes, options);
    });
  }

  /**
   * Removes a name, if it is there.
   *
   * @throws {StoreError} If it could not be removed.
   */
  remove(name: string, options?: StoreOptions): Promise<void> {
    return this.#run("remove", name, 0, options, (options) => {
      return this.inner.remove(name, options);
    });
  }

  async #run<T, O extends StoreOptions>(
    action: StoreAction,
    name: string,
    bytes: number,
    options: O | undefined,
    run: (options: O | undefined) => Promise<T>,
  ): Promise<T> {
    const call = { action, name, bytes, signal: options?.signal };
    return await this.around(call, (signal) => {
      return run(signal === undefined ? options : { ...options, signal } as O);
    });
  }
}
