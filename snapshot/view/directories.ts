import { idFromBytes } from "@snap/hash";
import type { AttributePage, Tree } from "@snap/manifest";
import { ManifestSyntaxError } from "@snap/manifest/extras";
import type { ManifestSource } from "./manifest_source.ts";

/** A directory that was read: its tree, and the page that belongs to it. */
export interface Directory {
  readonly tree: Tree;
  readonly page: AttributePage;
}

/** Reads directories, each once while it is in a cache of bounded size. */
export class Directories {
  readonly #source: ManifestSource;
  readonly #sizeMax: number;
  /** The one used last at the end. */
  readonly #kept = new Map<string, { directory: Directory; size: number }>();
  readonly #pending = new Map<string, Promise<Directory>>();
  #size = 0;

  constructor(source: ManifestSource, sizeMax: number) {
    this.#source = source;
    this.#sizeMax = sizeMax;
  }

  /** Reads a directory by the ids of its tree and its page. */
  async get(
    ids: { readonly tree: Uint8Array; readonly page: Uint8Array },
    signal?: AbortSignal,
  ): Promise<Directory> {
    signal?.throwIfAborted();
    const key = idFromBytes(ids.tree) + idFromBytes(ids.page);
    const known = this.#kept.get(key);
    if (known !== undefined) {
      this.#kept.delete(key);
      this.#kept.set(key, known);
      return known.directory;
    }
    // A read that a signal may end is not shared.
    if (signal !== undefined) return await this.#read(key, ids, signal);
    let pending = this.#pending.get(key);
    if (pending === undefined) {
      pending = this.#read(key, ids, undefined)
        .finally(() => this.#pending.delete(key));
      this.#pending.set(key, pending);
    }
    return await pending;
  }

  async #read(
    key: string,
    ids: { readonly tree: Uint8Array; readonly page: Uint8Array },
    signal: AbortSignal | undefined,
  ): Promise<Directory> {
    const reads = [
      this.#source.tree(ids.tree, signal),
      this.#source.page(ids.page, signal),
    ] as const;
    await Promise.allSettled(reads); // Whoever started work waits for its end.
    const [tree, page] = await Promise.all(reads);
    if (!page.belongsTo(tree, ids.tree)) {
      throw new ManifestSyntaxError(
        `Cannot read attribute page ${
          idFromBytes(ids.page)
        }: it belongs to another tree than ${idFromBytes(ids.tree)}`,
        32,
      );
    }
    const directory = { tree, page };
    this.#keep(key, directory);
    return directory;
  }

  #keep(key: string, directory: Directory): void {
    const size = directory.tree.bytes.length + directory.page.bytes.length;
    if (size > this.#sizeMax || this.#kept.has(key)) return;
    this.#kept.set(key, { directory, size });
    this.#size += size;
    for (const [oldest, { size }] of this.#kept) {
      if (this.#size <= this.#sizeMax) break;
      this.#kept.delete(oldest);
      this.#size -= size;
    }
  }
}
