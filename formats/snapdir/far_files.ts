import { hexOf } from "@snap/hash";
import { randomBytes } from "@snap/pack/write";
import type { PruneStore, StoreOptions } from "@snap/store";
import { storeFailure } from "@snap/store/file";
import { adoptFile, spoolPathOf } from "@snap/store/owner";
import {
  type FileContent,
  idOfFile,
  MANIFESTS,
  OBJECTS,
  PIECE_SIZE,
  type SnapdirFiles,
} from "./snapdir_files.ts";

/** Content up to this size is sent out of memory, larger content out of a file. */
const WHOLE_SIZE_MAX = 16 << 20;

/** The stores whose names are those of objects and manifests. */
export interface FarFolders {
  /** Where both are, for people. */
  readonly location: string;
  /** What is below `.objects/`. */
  readonly objects: PruneStore;
  /** What is below `.manifests/`. */
  readonly manifests: PruneStore;
}

/**
 * Opens a store of snapdir far away, over stores of names and bytes.
 *
 * @param folders Those for objects and for manifests.
 */
export function openFarFiles(folders: FarFolders): SnapdirFiles {
  return new FarFiles(folders);
}

/** A store of snapdir over stores of names and bytes. */
class FarFiles implements SnapdirFiles {
  readonly location: string;
  readonly #folders: FarFolders;

  constructor(folders: FarFolders) {
    this.location = folders.location;
    this.#folders = folders;
  }

  async size(
    name: string,
    options?: StoreOptions,
  ): Promise<number | undefined> {
    const { store, rest } = this.#place(name);
    return await store.size(rest, options);
  }

  async *read(
    name: string,
    size: number,
    options?: StoreOptions,
  ): AsyncGenerator<Uint8Array, void> {
    const { store, rest } = this.#place(name);
    for (let offset = 0; offset < size; offset += PIECE_SIZE) {
      const length = Math.min(PIECE_SIZE, size - offset);
      yield await store.read(rest, { ...options, offset, length });
    }
  }

  async write(
    name: string,
    content: FileContent,
    options?: StoreOptions,
  ): Promise<void> {
    if (await this.#create(name, content, options)) return;
    const { store, rest } = this.#place(name);
    if (await store.size(rest, options) === content.size) return;
    await store.remove(rest, options);
    await this.#create(name, content, options);
  }

  async sync(_: Iterable<string>, options?: StoreOptions): Promise<void> {
    await this.#folders.objects.sync([""], options);
    await this.#folders.manifests.sync([""], options);
  }

  async *manifestIds(options?: StoreOptions): AsyncGenerator<string, void> {
    for await (const batch of this.#folders.manifests.list("", options)) {
      for (const { name } of batch) {
        const id = idOfFile(name);
        if (id !== undefined) yield id;
      }
    }
  }

  async #create(
    name: string,
    content: FileContent,
    options: StoreOptions = {},
  ): Promise<boolean> {
    const { store, rest } = this.#place(name);
    if (content.size <= WHOLE_SIZE_MAX) {
      const bytes = new Uint8Array(content.size);
      let at = 0;
      for await (const piece of content.pieces()) {
        bytes.set(piece, at);
        at += piece.length;
      }
      return await store.create(rest, bytes, options);
    }
    const path = await spoolPathOf(store, hexOf(randomBytes(16)));
    const { open, rm } = await import("node:fs/promises");
    try {
      const file = await open(path, "wx", 0o600);
      try {
        for await (const piece of content.pieces()) {
          options.signal?.throwIfAborted();
          await file.writeFile(piece);
        }
      } finally {
        await file.close();
      }
    } catch (error) {
      await rm(path, { force: true });
      throw storeFailure("adopt", { path }, error);
    }
    return await adoptFile(store, { name: rest, path }, options);
  }

  /** The store that has a file, and its name there. */
  #place(name: string): { readonly store: PruneStore; readonly rest: string } {
    const { objects, manifests } = this.#folders;
    return name.startsWith(`${OBJECTS}/`)
      ? { store: objects, rest: name.slice(OBJECTS.length + 1) }
      : { store: manifests, rest: name.slice(MANIFESTS.length + 1) };
  }
}
