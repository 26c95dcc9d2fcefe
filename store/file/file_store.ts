/** The file store over the calls of the system, which tests replace. */
import { checkBytes, hexOf } from "@snap/hash";
import {
  copyNew,
  linkNew,
  removeQuietly,
  settle,
  writeNew,
} from "./durable_file.ts";
import { type FileCalls, type OpenFile, saysAbsent } from "./file_calls.ts";
import { checkSaveId, randomHex } from "../hex.ts";
import { listFolder } from "./list_folder.ts";
import { checkRange, cutRange, shortError } from "../range.ts";
import { makeReserve, RESERVE_NAME } from "./reserve.ts";
import { storeFailure } from "./store_failure.ts";
import { folderOf, type StoreFolders } from "./store_folders.ts";
import { NotFoundError, StoreError } from "../errors.ts";
import {
  checkWriteFeatures,
  HEADER_SIZE,
  SAVE_ID_SIZE,
  saveIdOf,
} from "../header.ts";
import type {
  AdoptStore,
  ReadOptions,
  StoreEntry,
  StoreOptions,
} from "../store.ts";
import { checkStoreName, checkStorePrefix } from "../store_name.ts";

const READ_SIZE = 64 * 1024 * 1024;

/** A store in a folder. Its files are 0600, its folders 0700. */
export interface FileStore extends AdoptStore {
  /** Absolute path of the folder. */
  readonly path: string;
  /**
   * The file that holds a name.
   *
   * @param name The name, which need not exist.
   * @returns An absolute path.
   * @throws {RangeError} If it is no name.
   */
  localPath(name: string): string;
  /**
   * Where a file for `adopt` is cheapest to make: below `tmp/`, on the same disk.
   *
   * @param saveId The save id, 32 hex digits.
   * @returns An absolute path that no other call gets. No file is there yet.
   * @throws {RangeError} If this is no save id.
   * @throws {StoreError} If `tmp/` is absent and cannot be made.
   */
  spoolPath(saveId: string): Promise<string>;
}

/** Parts of a {@link LocalFileStore}. */
export interface LocalFileStoreParts {
  readonly calls: FileCalls;
  readonly folders: StoreFolders;
  /** Device and inode of the folder of the store. */
  readonly root: { readonly dev: number; readonly ino: number };
  /** Feature bits that a writer must know. */
  readonly writeFeatures: number;
}

/** A store in a folder. */
export class LocalFileStore implements FileStore {
  readonly path: string;
  readonly #calls: FileCalls;
  readonly #folders: StoreFolders;
  readonly #root: { readonly dev: number; readonly ino: number };
  readonly #writeFeatures: number;

  constructor(parts: LocalFileStoreParts) {
    this.#calls = parts.calls;
    this.#folders = parts.folders;
    this.#root = parts.root;
    this.#writeFeatures = parts.writeFeatures;
    this.path = parts.folders.path("");
  }

  localPath(name: string): string {
    checkStoreName(name);
    return this.#folders.path(name);
  }

  async read(name: string, options?: ReadOptions): Promise<Uint8Array> {
    const path = this.localPath(name);
    checkRange(options);
    options?.signal?.throwIfAborted();
    try {
      const file = await this.#openToRead(name, path);
      try {
        return await readFrom(file, name, options);
      } finally {
        await file.close();
      }
    } catch (error) {
      throw storeFailure("read", { storeName: name, path }, error);
    }
  }

  async size(
    name: string,
    options?: StoreOptions,
  ): Promise<number | undefined> {
    const path = this.localPath(name);
    options?.signal?.throwIfAborted();
    try {
      const stat = await this.#calls.stat(path);
      return stat.isFile() ? stat.size : undefined;
    } catch (error) {
      if (!saysAbsent(error)) {
        throw storeFailure("size", { storeName: name, path }, error);
      }
      await this.#checkRoot(name);
      return undefined;
    }
  }

  async *list(
    prefix: string,
    options?: StoreOptions,
  ): AsyncGenerator<StoreEntry[]> {
    checkStorePrefix(prefix);
    options?.signal?.throwIfAborted();
    await this.#checkRoot(prefix);
    try {
      yield* listFolder(this.#calls, this.#folders, prefix, options?.signal);
    } catch (error) {
      throw storeFailure("list", { storeName: prefix, path: this.path }, error);
    }
  }

  async create(
    name: string,
    bytes: Uint8Array,
    options?: StoreOptions,
  ): Promise<boolean> {
    checkBytes(bytes, "content");
    const path = this.#pathToWrite(name, options);
    const temporary = this.#temporaryPath(saveIdOf(bytes));
    try {
      if (await this.#settleTaken(name)) return false;
      await this.#inTemporaryFolder(() =>
        writeNew(this.#calls, temporary, bytes, options?.signal)
      );
      return await this.#publish(name, temporary, options);
    } catch (error) {
      throw storeFailure("create", { storeName: name, path }, error);
    } finally {
      await removeQuietly(this.#calls, temporary);
    }
  }

  async adopt(
    name: string,
    path: string,
    options?: StoreOptions,
  ): Promise<boolean> {
    checkStoreName(name);
    let temporary: string | undefined;
    try {
      this.#pathToWrite(name, options);
      if (await this.#settleTaken(name)) return false;
      const dev = await settle(this.#calls, path);
      if (dev === this.#root.dev) {
        return await this.#publish(name, path, options);
      }
      const copy = temporary = this.#temporaryPath(await this.#saveIdIn(path));
      await this.#inTemporaryFolder(() =>
        copyNew(this.#calls, path, copy, options?.signal)
      );
      return await this.#publish(name, copy, options);
    } catch (error) {
      throw storeFailure("adopt", { storeName: name, path }, error);
    } finally {
      await removeQuietly(this.#calls, path);
      if (temporary !== undefined) await removeQuietly(this.#calls, temporary);
    }
  }

  async spoolPath(saveId: string): Promise<string> {
    checkSaveId(saveId);
    checkWriteFeatures({ writeFeatures: this.#writeFeatures });
    try {
      await this.#folders.make("tmp");
    } catch (error) {
      throw storeFailure("adopt", { path: this.#folders.path("tmp") }, error);
    }
    return this.#folders.path(`tmp/${saveId}-${randomHex()}`);
  }

  async sync(prefixes: string[], options?: StoreOptions): Promise<void> {
    prefixes.forEach(checkStorePrefix);
    options?.signal?.throwIfAborted();
    await this.#checkRoot("all");
    try {
      await this.#folders.syncBelow(prefixes.map(folderOf), options?.signal);
    } catch (error) {
      throw storeFailure("sync", { path: this.path }, error);
    }
  }

  async remove(name: string, options?: StoreOptions): Promise<void> {
    const path = this.#pathToWrite(name, options);
    try {
      await this.#calls.unlink(path);
    } catch (error) {
      if (!saysAbsent(error)) {
        throw storeFailure("remove", { storeName: name, path }, error);
      }
      await this.#checkRoot(name);
    }
    await this.#folders.removeEmpty(folderOf(name));
  }

  async freeReserve(options?: StoreOptions): Promise<boolean> {
    options?.signal?.throwIfAborted();
    checkWriteFeatures({ writeFeatures: this.#writeFeatures });
    const path = this.#folders.path(RESERVE_NAME);
    try {
      await this.#calls.unlink(path);
      return true;
    } catch (error) {
      if (saysAbsent(error)) return false;
      throw storeFailure("remove", { path }, error);
    }
  }

  async keepReserve(options?: StoreOptions): Promise<void> {
    options?.signal?.throwIfAborted();
    checkWriteFeatures({ writeFeatures: this.#writeFeatures });
    const path = this.#folders.path(RESERVE_NAME);
    try {
      await this.#calls.stat(path);
    } catch (error) {
      if (!saysAbsent(error)) throw storeFailure("create", { path }, error);
      await this.#makeReserve(path);
    }
  }

  async #makeReserve(path: string): Promise<void> {
    try {
      await this.#inTemporaryFolder(() =>
        makeReserve(this.#calls, this.#folders)
      );
    } catch (error) {
      throw storeFailure("create", { path }, error);
    }
  }

  #pathToWrite(name: string, options: StoreOptions | undefined): string {
    const path = this.localPath(name);
    options?.signal?.throwIfAborted();
    checkWriteFeatures({ writeFeatures: this.#writeFeatures });
    return path;
  }

  #temporaryPath(saveId: Uint8Array | undefined): string {
    const owner = hexOf(saveId ?? new Uint8Array(SAVE_ID_SIZE));
    return this.#folders.path(`tmp/${owner}-${randomHex()}`);
  }

  async #saveIdIn(path: string): Promise<Uint8Array | undefined> {
    const file = await this.#calls.openToRead(path);
    try {
      const head = new Uint8Array(HEADER_SIZE);
      const { bytesRead } = await file.read(head, 0, HEADER_SIZE, 0);
      return saveIdOf(head.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  }

  /** Runs what makes a file in `tmp/`, which a store that was copied may lack. */
  async #inTemporaryFolder(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (!saysAbsent(error)) throw error;
      await this.#checkRoot("tmp");
      await this.#folders.make("tmp");
      await write();
    }
  }

  /** Whether a name is taken; if so, it is durable when this resolves. */
  async #settleTaken(name: string): Promise<boolean> {
    try {
      const stat = await this.#calls.stat(this.#folders.path(name));
      if (!stat.isFile()) return false; // Linking says what is wrong with it.
    } catch (error) {
      if (saysAbsent(error)) return false;
      throw error;
    }
    await this.#folders.settle(folderOf(name));
    return true;
  }

  /** Gives a finished and synced file its name, and makes the name durable. */
  async #publish(
    name: string,
    temporary: string,
    options?: StoreOptions,
  ): Promise<boolean> {
    const path = this.#folders.path(name);
    const signal = options?.signal;
    signal?.throwIfAborted();
    let created: boolean;
    try {
      created = await linkNew(this.#calls, temporary, path, signal);
    } catch (error) {
      if (!saysAbsent(error)) throw error;
      await this.#checkRoot(name);
      await this.#folders.make(folderOf(name));
      created = await linkNew(this.#calls, temporary, path, signal);
    }
    try {
      await this.#folders.settle(folderOf(name));
    } catch (error) {
      if (created) await removeQuietly(this.#calls, path);
      throw error;
    }
    return created;
  }

  async #openToRead(name: string, path: string): Promise<OpenFile> {
    try {
      return await this.#calls.openToRead(path);
    } catch (error) {
      if (!saysAbsent(error)) throw error;
      await this.#checkRoot(name);
      throw new NotFoundError(name, { cause: error });
    }
  }

  /** Refuses to call a name absent because the disk of the store is. */
  async #checkRoot(name: string): Promise<void> {
    let stat;
    try {
      stat = await this.#calls.stat(this.path);
    } catch (error) {
      throw storeFailure("find", { storeName: name, path: this.path }, error);
    }
    if (stat.dev === this.#root.dev && stat.ino === this.#root.ino) return;
    throw new StoreError(
      `Cannot find ${name}: ${this.path} is not the folder any more that was opened`,
      { code: "ESTALE", action: "find", storeName: name, path: this.path },
    );
  }
}

async function readFrom(
  file: OpenFile,
  name: string,
  options: ReadOptions | undefined,
): Promise<Uint8Array> {
  const stat = await file.stat();
  if (!stat.isFile()) throw new NotFoundError(name);
  const { start, end } = cutRange(name, stat.size, options);
  const bytes = new Uint8Array(end - start);
  let done = 0;
  while (done < bytes.length) {
    options?.signal?.throwIfAborted();
    const wanted = Math.min(READ_SIZE, bytes.length - done);
    const { bytesRead } = await file.read(bytes, done, wanted, start + done);
    if (bytesRead === 0) throw shortError(name, end, start + done);
    done += bytesRead;
  }
  return bytes;
}
