import type { FileHandle } from "node:fs/promises";
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

type Calls = typeof import("node:fs/promises");

/**
 * Opens a folder as a store of snapdir, which may be empty or absent.
 *
 * @param path The folder.
 */
export async function openFolderFiles(path: string): Promise<SnapdirFiles> {
  return new FolderFiles(path, await import("node:fs/promises"));
}

/** A store of snapdir in a folder. */
class FolderFiles implements SnapdirFiles {
  readonly location: string;
  readonly #calls: Calls;

  constructor(location: string, calls: Calls) {
    this.location = location;
    this.#calls = calls;
  }

  async size(name: string): Promise<number | undefined> {
    try {
      const stat = await this.#calls.stat(this.#path(name));
      return stat.isFile() ? stat.size : undefined;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw this.#failure("size", name, error);
    }
  }

  async *read(
    name: string,
    size: number,
    { signal }: StoreOptions = {},
  ): AsyncGenerator<Uint8Array, void> {
    let file: FileHandle | undefined;
    try {
      file = await this.#calls.open(this.#path(name));
      const bytes = new Uint8Array(Math.min(Math.max(size, 1), PIECE_SIZE));
      for (;;) {
        signal?.throwIfAborted();
        const { bytesRead } = await file.read(bytes);
        if (bytesRead === 0) return;
        yield bytes.subarray(0, bytesRead);
      }
    } catch (error) {
      throw this.#failure("read", name, error);
    } finally {
      await file?.close();
    }
  }

  async write(
    name: string,
    content: FileContent,
    { signal }: StoreOptions = {},
  ): Promise<void> {
    const path = this.#path(name);
    const temporary = `${path}.${crypto.randomUUID()}.tmp`;
    try {
      const file = await this.#create(temporary);
      try {
        for await (const piece of content.pieces()) {
          signal?.throwIfAborted();
          await file.writeFile(piece);
        }
      } finally {
        await file.close();
      }
      await this.#calls.rename(temporary, path);
    } catch (error) {
      await this.#calls.rm(temporary, { force: true }).catch(() => {});
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
    try {
      const file = await this.#calls.open(this.#path(name), "r+");
      try {
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (error) {
      throw this.#failure("sync", name, error);
    }
  }

  async *#idsBelow(folder: string): AsyncGenerator<string, void> {
    let entries;
    try {
      entries = await this.#calls.readdir(
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

  async #create(path: string): Promise<FileHandle> {
    try {
      return await this.#calls.open(path, "wx");
    } catch (error) {
      if (!isAbsent(error)) throw error;
      const folder = path.slice(0, path.lastIndexOf("/"));
      await this.#calls.mkdir(folder, { recursive: true });
      return await this.#calls.open(path, "wx");
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
