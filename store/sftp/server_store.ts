import { rm } from "node:fs/promises";
import { checkBytes } from "@snap/hash";
import { eachOf } from "../each.ts";
import { NotFoundError, type StoreAction } from "../errors.ts";
import { storeFailure } from "../file/store_failure.ts";
import { folderOf } from "../file/store_folders.ts";
import { HEADER_SIZE } from "../header.ts";
import { memorySource, withFileSource } from "../http/upload.ts";
import { newSpoolPath, type SpoolPlace } from "../spool_path.ts";
import { checkRange, cutRange, shortError } from "../range.ts";
import { joinChunks } from "../serve/body.ts";
import type {
  PruneStore,
  ReadOptions,
  StoreEntry,
  StoreOptions,
} from "../store.ts";
import { checkStoreName, checkStorePrefix } from "../store_name.ts";
import type { Meter } from "../wrap/meter.ts";
import { createAgain, isOurs, type Mark, markOf } from "../wrap/ours.ts";
import { RemoteError } from "../wrap/remote_error.ts";
import type { RetryOptions } from "../wrap/retry.ts";
import { folderNames, listNames } from "./list_names.ts";
import type { OpenFile } from "./open_files.ts";
import type { Server, Servers } from "./server.ts";
import { isFile } from "./sftp_session.ts";
import {
  answerError,
  hasStatus,
  SftpStatusError,
  STATUS,
} from "./status_error.ts";
import { openTemporary, removeAbandoned, temporaryName } from "./temporary.ts";
import type { ByteSource, Transfer } from "./transfer.ts";

/** Bytes that are asked for before it is known whether there are so many. */
const AHEAD_SIZE_MAX: number = 4 * 1024 * 1024;
/** Bytes of a large file that are read before room is made for more. */
const BLOCK_SIZE: number = 64 * 1024 * 1024;
/** Folders that are made durable at once. */
const SYNC_CONCURRENCY = 32;

/** Parts of a {@link ServerStore}. */
export interface ServerStoreParts {
  readonly servers: Servers;
  readonly transfer: Transfer;
  readonly meter: Meter;
  readonly retry: RetryOptions;
  readonly spoolFolder: string | undefined;
  /** The environment, which tells the user's cache. */
  readonly env: SpoolPlace["env"];
}

/** A store on a server of SFTP. What fails is not repeated, but for {@link ServerStore.adopt}. */
export class ServerStore implements PruneStore {
  readonly #parts: ServerStoreParts;
  readonly #atWork = new Set<Promise<void>>();
  #isCleaned = false;

  constructor(parts: ServerStoreParts) {
    this.#parts = parts;
  }

  async read(name: string, options: ReadOptions = {}): Promise<Uint8Array> {
    checkStoreName(name);
    checkRange(options);
    const { signal } = options;
    return await this.#run("read", name, signal, async (server) => {
      const { files, folders } = server;
      const path = folders.path(name);
      // A pack is read in many places, and what is in it never changes.
      const isPack = name.startsWith("packs/");
      const read = (file: OpenFile) =>
        this.#readRange(server, file, name, options);
      try {
        return await (isPack
          ? files.use(path, read, signal)
          : files.useOnce(path, read, signal));
      } catch (error) {
        if (!(error instanceof SftpStatusError)) throw error;
        // Not every server says of what is absent, or no file, that it is.
        const size = await this.#sizeOn(server, name, signal);
        throw size === undefined ? new NotFoundError(name) : error;
      }
    });
  }

  async #readRange(
    { session }: Server,
    file: OpenFile,
    name: string,
    options: ReadOptions,
  ): Promise<Uint8Array> {
    const { offset = 0, length, signal } = options;
    const { transfer } = this.#parts;
    const { handle } = file;
    const rangeOf = async () => {
      const attributes = await file.stat();
      if (!isFile(attributes)) throw new NotFoundError(name);
      return cutRange(name, attributes.size ?? 0, options);
    };
    const checked = (bytes: Uint8Array, end: number) => {
      const found = offset + bytes.length;
      if (found === end) return bytes;
      throw shortError(name, end, found);
    };
    const ranging = rangeOf();
    ranging.catch(() => {}); // Heard when what is read meanwhile is there.
    if (length !== undefined && length <= AHEAD_SIZE_MAX) {
      const range = { offset, length };
      const bytes = await transfer.read(session, handle, range, signal);
      return checked(bytes, (await ranging).end);
    }
    // Most of what is read to its end is small: it comes with its size.
    const piece = await transfer.readPiece(session, handle, offset, signal);
    const { end } = await ranging;
    // A copy: what came with it in one piece of the pipe belongs to others.
    const pieces: Uint8Array[] = [
      new Uint8Array(piece.subarray(0, end - offset)),
    ];
    let at = offset + pieces[0].length;
    // What a server says of a size is believed as far as it comes.
    for (let isWhole = true; isWhole && at < end;) {
      const range = { offset: at, length: Math.min(BLOCK_SIZE, end - at) };
      const block = await transfer.read(session, handle, range, signal);
      isWhole = block.length === range.length;
      pieces.push(block);
      at += block.length;
    }
    return checked(joinChunks(pieces, at - offset), end);
  }

  async size(
    name: string,
    options?: StoreOptions,
  ): Promise<number | undefined> {
    checkStoreName(name);
    const signal = options?.signal;
    return await this.#run("size", name, signal, (server) => {
      return this.#sizeOn(server, name, signal);
    });
  }

  async #sizeOn(
    server: Server,
    name: string,
    signal?: AbortSignal,
  ): Promise<number | undefined> {
    try {
      const path = server.folders.path(name);
      const attributes = await server.session.stat(path, signal);
      return isFile(attributes) ? attributes.size : undefined;
    } catch (error) {
      if (!hasStatus(error, STATUS.noSuchFile)) throw error;
      await this.#parts.servers.checkThere(server, signal);
      return undefined;
    }
  }

  async *list(
    prefix: string,
    options?: StoreOptions,
  ): AsyncGenerator<StoreEntry[]> {
    checkStorePrefix(prefix);
    const { servers, meter } = this.#parts;
    const signal = options?.signal;
    const subject = prefix === "" ? "the store" : prefix;
    const server = await servers.get(signal);
    const { session, folders } = server;
    const batches = listNames(session, folders, prefix, signal);
    const there = servers.checkThere(server, signal);
    there.catch(() => {}); // Heard below.
    try {
      for (;;) {
        const { done, value } = await meter.run("list", () => batches.next());
        await there;
        if (done === true) return;
        yield value;
      }
    } catch (error) {
      throw answerError(error, { action: "list", subject });
    } finally {
      await batches.return(undefined);
    }
  }

  async create(
    name: string,
    bytes: Uint8Array,
    options?: StoreOptions,
  ): Promise<boolean> {
    checkBytes(bytes, "content");
    checkStoreName(name);
    const mark = markOf(name, bytes);
    return await this.#create(mark, memorySource(bytes), options?.signal);
  }

  async adopt(
    name: string,
    path: string,
    options?: StoreOptions,
  ): Promise<boolean> {
    checkStoreName(name);
    const signal = options?.signal;
    try {
      signal?.throwIfAborted();
      return await withFileSource(path, async (source) => {
        const { size } = source;
        const head = await source.read(0, Math.min(HEADER_SIZE, size));
        const mark = { name, size, head };
        return await createAgain(
          mark,
          () => this.#create(mark, source, signal),
          () => isOurs(this, mark, signal),
          this.#parts.retry,
          signal,
        );
      });
    } catch (error) {
      throw storeFailure("adopt", { storeName: name, path }, error);
    } finally {
      await rm(path, { force: true });
    }
  }

  async #create(
    mark: Mark,
    source: ByteSource,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const { name, size } = mark;
    return await this.#run("create", name, signal, async (server) => {
      this.#clean(server);
      const { session, folders, publisher } = server;
      await publisher.check(name);
      folders.open(folderOf(name));
      const temporary = folders.path(temporaryName(mark.head));
      const opening = openTemporary(session, folders, temporary, signal);
      let isWanted = false;
      try {
        const isTaken = publisher.isTaken(name, signal);
        await Promise.allSettled([isTaken, opening]);
        if (await isTaken) {
          await folders.settle(folderOf(name), signal);
          return false;
        }
        const handle = await opening;
        isWanted = true;
        await this.#write(server, { handle, temporary }, mark, source, signal);
        return await publisher.publish(temporary, name, signal);
      } finally {
        this.#beside(async () => {
          if (!isWanted) await session.close(await opening);
          await session.remove(temporary); // It may have got its name.
        });
      }
    }, size);
  }

  /** Writes a file, makes it durable, and looks whether all of it is there. */
  async #write(
    { session }: Server,
    file: { readonly handle: Uint8Array; readonly temporary: string },
    { name, size }: Mark,
    source: ByteSource,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { handle, temporary } = file;
    const finish = async () => {
      const synced = session.hasSync ? session.sync(handle, signal) : undefined;
      const closed = session.close(handle);
      // Some servers write when a file is closed, and say only then that it failed.
      if (!session.isInOrder) await closed;
      const stat = session.stat(temporary, signal);
      const [{ size }] = await Promise.all([stat, synced, closed]);
      return size;
    };
    const { transfer } = this.#parts;
    const found = await transfer.write(session, handle, source, finish, signal);
    if (found === size) return;
    throw new RemoteError(
      `Cannot create ${name}: the server has kept ${found} of ${size} bytes (EIO)`,
      { code: "EIO", action: "create", storeName: name },
    );
  }

  async spoolPath(saveId: string): Promise<string> {
    return await newSpoolPath(saveId, this.#parts);
  }

  async sync(prefixes: string[], options?: StoreOptions): Promise<void> {
    prefixes.forEach(checkStorePrefix);
    const signal = options?.signal;
    await this.#run("sync", "the store", signal, async (server) => {
      const { session, folders } = server;
      const all = new Set<string>([""]);
      await Promise.all([
        this.#parts.servers.checkThere(server, signal),
        ...prefixes.filter(() => session.hasSync).map((prefix) =>
          folderNames(session, folders, folderOf(prefix), all, signal)
        ),
      ]);
      await eachOf([...all], SYNC_CONCURRENCY, async (folder) => {
        try {
          await folders.sync(folder, signal);
        } catch (error) {
          if (!hasStatus(error, STATUS.noSuchFile)) throw error;
        }
      });
    });
  }

  async remove(name: string, options?: StoreOptions): Promise<void> {
    checkStoreName(name);
    const signal = options?.signal;
    await this.#run("remove", name, signal, async (server) => {
      const path = server.folders.path(name);
      server.files.forget(path);
      try {
        await server.session.remove(path, signal);
      } catch (error) {
        if (!(error instanceof SftpStatusError)) throw error;
        if (await this.#sizeOn(server, name, signal) !== undefined) throw error;
      }
      await server.folders.removeEmpty(folderOf(name), signal);
    });
  }

  /** Finds out whether a name can be created only if it is absent. */
  async probe(options?: StoreOptions): Promise<void> {
    const signal = options?.signal;
    await this.#run("create", "a name", signal, ({ publisher }) => {
      return publisher.probe(signal);
    });
  }

  /** Waits for what is at work beside. */
  async settle(): Promise<void> {
    await Promise.all(this.#atWork);
  }

  /** Does what nobody waits for, and what may fail. */
  #beside(run: () => Promise<void>): void {
    const work = run().catch(() => {}).finally(() => this.#atWork.delete(work));
    this.#atWork.add(work);
  }

  /** Begins, once, to remove what killed processes have left. */
  #clean({ session, folders }: Server): void {
    if (this.#isCleaned) return;
    this.#isCleaned = true;
    this.#beside(() => removeAbandoned(session, folders));
  }

  async #run<T>(
    action: StoreAction,
    subject: string,
    signal: AbortSignal | undefined,
    call: (server: Server) => Promise<T>,
    bytes = 0,
  ): Promise<T> {
    const { servers, meter } = this.#parts;
    signal?.throwIfAborted();
    return await meter.run(action, async () => {
      const server = await servers.get(signal);
      try {
        return await call(server);
      } catch (error) {
        const isUnclear = bytes > 0 && hasStatus(error, STATUS.failure);
        const space = isUnclear
          ? await server.session.space(server.folders.path("")).catch(() =>
            undefined
          )
          : undefined;
        throw answerError(error, { action, subject, bytes }, space);
      }
    });
  }
}
