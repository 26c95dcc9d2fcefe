import type { StoreAction, StoreOptions } from "@snap/store";
import { storeFailure } from "@snap/store/file";
import {
  type FileContent,
  idOfFile,
  MANIFESTS,
  PIECE_SIZE,
  type SnapdirFiles,
} from "./snapdir_files.ts";

/** Files that are synced at once. */
const SYNCS_MAX = 32;

type Calls = typeof import("node:fs");

/**
 * Opens a folder as a store of snapdir, which may be empty or absent.
 *
 * @param path The folder.
 */
export async function openFolderFiles(path: string): Promise<SnapdirFiles> {
  return new FolderFiles(path, await import("node:fs"));
}

/**
 * A store of snapdir in a folder. Its files are small and many: calls that do not wait for the
 * event loop take a quarter of the time. Only what is slow on every disk, syncing, is awaited.
 */
class FolderFiles implements SnapdirFiles {
  readonly location: string;
  readonly #calls: Calls;

  constructor(location: string, calls: Calls) {
    this.location = location;
    this.#calls = calls;
  }

  size(name: string): Promise<number | undefined> {
    try {
      const stat = this.#calls.statSync(this.#path(name));
      return Promise.resolve(stat.isFile() ? stat.size : undefined);
    } catch (error) {
      if (isAbsent(error)) return Promise.resolve(undefined);
      return Promise.reject(this.#failure("size", name, error));
    }
  }

  async *read(
    name: string,
    size: number,
    { signal }: StoreOptions = {},
  ): AsyncGenerator<Uint8Array, void> {
    const { openSync, readSync, closeSync } = this.#calls;
    let file: number | undefined;
    try {
      file = openSync(this.#path(name), "r");
      // A byte more than there should be says that there is more.
      const bytes = new Uint8Array(Math.min(size + 1, PIECE_SIZE));
      for (;;) {
        signal?.throwIfAborted();
        const readSize = readSync(file, bytes);
        if (readSize === 0) return;
        yield bytes.subarray(0, readSize);
      }
    } catch (error) {
      throw this.#failure("read", name, error);
    } finally {
      if (file !== undefined) closeSync(file);
    }
  }

  async write(
    name: string,
    content: FileContent,
    { signal }: StoreOptions = {},
  ): Promise<void> {
    const { closeSync, renameSync, rmSync } = this.#calls;
    const path = this.#path(name);
    const temporary = `${path}.${crypto.randomUUID()}.tmp`;
    try {
      const file = this.#create(temporary);
      try {
        for await (const piece of content.pieces()) {
          signal?.throwIfAborted();
          this.#writeAll(file, piece);
        }
      } finally {
        closeSync(file);
      }
      renameSync(temporary, path);
    } catch (error) {
      try {
        rmSync(temporary, { force: true });
      } catch {
        // The first error is the one that matters.
      }
      throw this.#failure("create", name, error);
    }
  }

  async sync(
    names: Iterable<string>,
    { signal }: StoreOptions = {},
  ): Promise<void> {
    // All lanes take from one iterator: what is synced at once shares one commit of the disk.
    const left = names[Symbol.iterator]();
    let hasFailed = false;
    const lane = async (): Promise<void> => {
      for (
        let next = left.next();
        !next.done && !hasFailed;
        next = left.next()
      ) {
        signal?.throwIfAborted();
        await this.#syncFile(next.value).catch((error) => {
          hasFailed = true;
          throw error;
        });
      }
    };
    const lanes = await Promise.allSettled(
      Array.from({ length: SYNCS_MAX }, lane),
    );
    for (const one of lanes) if (one.status === "rejected") throw one.reason;
  }

  async *manifestIds(): AsyncGenerator<string, void> {
    yield* this.#idsBelow("");
  }

  async #syncFile(name: string): Promise<void> {
    const { closeSync, fsync, openSync } = this.#calls;
    try {
      const file = openSync(this.#path(name), "r+");
      try {
        await new Promise<void>((resolve, reject) =>
          fsync(file, (error) => error ? reject(error) : resolve())
        );
      } finally {
        closeSync(file);
      }
    } catch (error) {
      throw this.#failure("sync", name, error);
    }
  }

  *#idsBelow(folder: string): Generator<string, void> {
    let entries;
    try {
      entries = this.#calls.readdirSync(
        this.#path(`${MANIFESTS}/${folder}`),
        { withFileTypes: true },
      );
    } catch (error) {
      if (folder === "" && isAbsent(error)) return;
      throw this.#failure("list", MANIFESTS, error);
    }
    for (const entry of entries) {
      const path = `${folder}${entry.name}`;
      if (entry.isDirectory() && /^[0-9a-f]{3}$/.test(entry.name)) {
        yield* this.#idsBelow(`${path}/`);
      }
      const id = idOfFile(path);
      if (id !== undefined) yield id;
    }
  }

  #create(path: string): number {
    const { mkdirSync, openSync } = this.#calls;
    try {
      return openSync(path, "wx");
    } catch (error) {
      if (!isAbsent(error)) throw error;
      mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      return openSync(path, "wx");
    }
  }

  #writeAll(file: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const size = this.#calls.writeSync(file, bytes, at);
      if (size === 0) {
        throw Object.assign(new Error("No byte was taken"), { code: "ENOSPC" });
      }
      at += size;
    }
  }

  #path(name: string): string {
    return `${this.location}/${name}`;
  }

  #failure(action: StoreAction, name: string, error: unknown): unknown {
    return storeFailure(action, { path: this.#path(name) }, error);
  }
}

function isAbsent(error: unknown): boolean {
  return (error as { code?: unknown }).code === "ENOENT";
}
