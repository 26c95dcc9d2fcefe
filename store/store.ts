/**
 * Interfaces of a store: names and bytes, in three steps, so that a function asks for
 * no more than it needs and its signature says whether it can destroy anything.
 *
 * Nothing is ever overwritten: a name is created once, and {@link WriteStore.create}
 * is the only primitive that writers race over.
 *
 * @module
 */

/** A name in a store, and how many bytes it holds. */
export interface StoreEntry {
  /** The name, with `/` between its segments. */
  readonly name: string;
  /** Size of its content in bytes. */
  readonly size: number;
}

/** Options of everything that waits for a store. */
export interface StoreOptions {
  /** Ends the wait: the call rejects with the reason of the signal. */
  signal?: AbortSignal | undefined;
}

/** Options of {@link ReadStore.read}. */
export interface ReadOptions extends StoreOptions {
  /** First byte wanted. Default 0. */
  offset?: number;
  /** How many bytes are wanted, all of which must be there. Default: up to the end. */
  length?: number;
  /** How many bytes there may be up to the end, where no `length` is given. Default: any number. */
  sizeMax?: number;
  /**
   * Whether bytes that came before were found to be damaged: a store that keeps
   * copies forgets its own, and reads from where it had them. Default: false.
   */
  isFresh?: boolean;
  /** Whether the bytes are not worth keeping a copy, as nobody will ask again soon. Default: false. */
  isOnce?: boolean;
}

/** A store to read from. */
export interface ReadStore {
  /**
   * Reads the content of a name, or a range of it.
   *
   * @param options The range, and a signal.
   * @returns The bytes, exactly as many as asked for. They belong to the caller.
   * @throws {NotFoundError} If the name is absent, and for no other reason.
   * @throws {StoreError} If it cannot be read, (code `SHORT`) ends before the range does, or (code
   * `EFBIG`) is larger than `sizeMax`.
   */
  read(name: string, options?: ReadOptions): Promise<Uint8Array>;

  /**
   * Says how many bytes a name holds.
   *
   * @returns The size in bytes, or undefined if the name is absent, and for no other reason.
   * @throws {StoreError} If the store cannot tell.
   */
  size(name: string, options?: StoreOptions): Promise<number | undefined>;

  /**
   * Lists every name that begins with a prefix, in batches and in no order.
   *
   * @param prefix What the names begin with, such as `packs/`. Empty for all.
   * @returns The entries. What is created or removed meanwhile may be among them or not.
   * @throws {StoreError} If the store cannot be listed.
   */
  list(prefix: string, options?: StoreOptions): AsyncIterable<StoreEntry[]>;

  /**
   * The file that holds a name, where a program may open it itself.
   *
   * @param name The name, which need not exist.
   * @returns An absolute path.
   */
  localPath?(name: string): string;
}

/** A store to add to. */
export interface WriteStore extends ReadStore {
  /**
   * Creates a name if it is absent: all of it or nothing, and durable with its
   * parents when the promise resolves, also when it resolves to false.
   *
   * @returns True if this call created the name, false if it was there.
   * @throws {StoreError} If it could not be created; then nothing of it is visible.
   */
  create(
    name: string,
    bytes: Uint8Array,
    options?: StoreOptions,
  ): Promise<boolean>;

  /**
   * Takes over a finished local file as a name, with the promise of
   * {@link WriteStore.create}. The file is gone afterwards, also when this fails.
   * Where a store has it not, files go through {@link WriteStore.create}, from memory.
   *
   * @param path A file, best one at a {@link WriteStore.spoolPath}.
   * @returns True if this call created the name, false if it was there.
   * @throws {StoreError} If it could not be created; then nothing of it is visible.
   */
  adopt?(name: string, path: string, options?: StoreOptions): Promise<boolean>;

  /**
   * Where a file for {@link WriteStore.adopt} is cheapest to make. Default: in the
   * temporary folder of the system.
   *
   * @param saveId The save id, 32 hex digits, which becomes part of the path.
   * @returns A path that no other call gets. No file is there yet.
   */
  spoolPath?(saveId: string): string | Promise<string>;

  /**
   * Goes on with files that {@link WriteStore.adopt} was given by processes that
   * have ended before they were through. Best before a save, which then finds them.
   *
   * @param options A signal.
   * @returns How many names have become whole.
   * @throws {StoreError} If the store cannot be reached; then they stay for later.
   */
  finishUploads?(options?: StoreOptions): Promise<number>;

  /**
   * Makes everything durable that anybody has created under some prefixes so far.
   * A failure is final: a second call that succeeds proves nothing.
   *
   * @param prefixes Prefixes such as `packs/` and `index/`.
   * @throws {StoreError} If something could not be made durable.
   */
  sync(prefixes: string[], options?: StoreOptions): Promise<void>;
}

/** An upload that is not finished. */
export interface UnfinishedUpload {
  /** The name that it was to become. */
  readonly name: string;
  /** Ends it, as far as the store can be reached: what has come of it is gone. */
  abort(): Promise<void>;
}

/** A store to remove from. */
export interface PruneStore extends WriteStore {
  /**
   * Removes a name. One that is absent is no error.
   *
   * @throws {StoreError} If it could not be removed.
   */
  remove(name: string, options?: StoreOptions): Promise<void>;

  /**
   * Lists uploads that are not finished, whoever has begun them.
   *
   * @returns The uploads. Who ends one has to know that nobody works on it.
   * @throws {StoreError} If the store cannot tell.
   */
  listUploads?(options?: StoreOptions): Promise<readonly UnfinishedUpload[]>;

  /**
   * Gives up what the store keeps for a full disk, so that it can be written down what
   * is to be removed.
   *
   * @returns Whether there was any.
   * @throws {StoreError} If it could not be given up.
   */
  freeReserve?(options?: StoreOptions): Promise<boolean>;

  /**
   * Keeps space for a full disk again, if it was given up.
   *
   * @throws {StoreError} If there is none.
   */
  keepReserve?(options?: StoreOptions): Promise<void>;
}

/** A store that takes files over in a way of its own. */
export interface AdoptStore extends PruneStore {
  /** Takes over a finished local file, as {@link WriteStore.adopt} says. */
  adopt(name: string, path: string, options?: StoreOptions): Promise<boolean>;

  /** Where such a file is made, as {@link WriteStore.spoolPath} says. */
  spoolPath(saveId: string): string | Promise<string>;
}
