/**
 * Reads objects from a store: the loop around index, frames and recipes.
 *
 * @module
 */
import {
  checkBytes,
  type Hasher,
  idFromBytes,
  IdMismatchError,
} from "@snap/hash";
import { NotFoundError, type ReadStore, type StoreOptions } from "@snap/store";
import { contextOf, ObjectCheck } from "./check_object.ts";
import type { AwaitedRanges } from "../ranges/ranges.ts";
import { type OpenRanges, openRanges } from "../ranges/open_ranges.ts";
import { ContentReader } from "./content_reader.ts";
import { ObjectNotFoundError } from "../errors.ts";
import type { FrameCache } from "../cache/frame_cache.ts";
import type { FrameDecoders } from "../codec/frame_decoders.ts";
import { HeapFrameCache } from "../cache/heap_frame_cache.ts";
import type { Location } from "../location.ts";
import { ObjectKind } from "../object_kind.ts";
import { ObjectCopies } from "./object_copies.ts";
import { openIndex } from "../index/open_index.ts";
import type { StoreIndex } from "../index/store_index.ts";
import { RecipeNode } from "../recipe/recipe.ts";
import { recipeRows } from "./recipe_rows.ts";
import { RecipeReader } from "../recipe/recipe_reader.ts";

/** Largest object in bytes that is read whole where nothing else is asked for. */
export const READ_SIZE_MAX: number = 256 << 20;

/** Options of {@linkcode openStoreReader}. */
export interface StoreReaderOptions extends StoreOptions {
  /** Hasher. */
  readonly hasher: Hasher;
  /** Cache of decoded frames; 16 MiB on the heap if left out. */
  readonly cache?: FrameCache;
  /** The index; that of the store is opened if left out. */
  readonly index?: StoreIndex;
  /** Decoders that run in place of the codecs of this package; none if left out. */
  readonly decoders?: FrameDecoders;
  /** Ranges of the store, closed by the caller; they are opened if left out. */
  readonly ranges?: AwaitedRanges;
}

/** Options of {@linkcode StoreReader.readObject}. */
export interface ReadObjectOptions extends StoreOptions {
  /** Largest size in bytes that the caller has room for, 256 MiB if left out. */
  readonly sizeMax?: number;
}

/**
 * Reads objects from a store. Every byte that it returns was checked against
 * an id. Where a copy of an object is damaged or gone, the next one is read.
 *
 * @example
 * ```ts
 * import { openStoreReader } from "@snap/pack/read";
 * import { ObjectNotFoundError } from "@snap/pack";
 * import { MemoryStore } from "@snap/store/memory";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { rejects } from "node:assert/strict";
 *
 * const reader = await openStoreReader(new MemoryStore(), { hasher: wasmHasher });
 * await rejects(reader.readObject(new Uint8Array(32), 3), ObjectNotFoundError);
 * await reader[Symbol.asyncDispose]();
 * ```
 */
export class StoreReader implements AsyncDisposable {
  /** The index. */
  readonly index: StoreIndex;
  /** Hasher. */
  readonly hasher: Hasher;
  /** Ranges of the store. */
  readonly ranges: AwaitedRanges;
  readonly #own: AsyncDisposable | undefined;
  readonly #reader: ObjectCopies;
  readonly #check: ObjectCheck;

  /**
   * Use {@linkcode openStoreReader}.
   *
   * @param parts Index, hasher, cache, stored bytes, what is closed at the end, what decodes
   */
  constructor(
    parts: {
      readonly index: StoreIndex;
      readonly hasher: Hasher;
      readonly cache: FrameCache;
      readonly ranges: AwaitedRanges;
      readonly own?: AsyncDisposable | undefined;
      readonly decoders?: FrameDecoders | undefined;
    },
  ) {
    const { index, hasher, ranges } = parts;
    this.index = index;
    this.hasher = hasher;
    this.ranges = ranges;
    this.#own = parts.own;
    const onDamage = (packId: Uint8Array) => index.index.markBad(packId);
    this.#reader = new ObjectCopies({ ...parts, onDamage });
    this.#check = new ObjectCheck(hasher);
  }

  /**
   * Reads a whole object, also one that is a recipe of chunks, and checks it
   * against its id.
   *
   * @param id 32 bytes of its id
   * @param kind Number of its kind
   * @param options Largest size, what ends the wait
   * @returns Its plain bytes, owned by the caller
   * @throws {ObjectNotFoundError} If no pack holds it
   * @throws {DamageError} If every copy is damaged
   * @throws {IdMismatchError} If a recipe does not give the object
   * @throws {RangeError} If it is larger than `sizeMax`
   */
  async readObject(
    id: Uint8Array,
    kind: number,
    options: ReadObjectOptions = {},
  ): Promise<Uint8Array> {
    const { sizeMax = READ_SIZE_MAX } = options;
    const whole = await this.readStored(id, kind, options);
    if (whole !== undefined) {
      checkSize(whole.length, sizeMax);
      return whole;
    }
    const root = kind === ObjectKind.recipe
      ? undefined
      : await this.readStored(id, ObjectKind.recipe, options);
    if (root === undefined) throw new ObjectNotFoundError(id, kind);
    const node = RecipeNode.decode(root, this.hasher);
    checkSize(node.plainSize, sizeMax);
    const plain = await this.#readChunks(node, kind, options);
    if (this.#check.matches(plain, kind, id, 0)) return plain;
    throw this.#mismatch(plain, kind, id);
  }

  /**
   * Opens content to read ranges of it, or to stream it.
   *
   * @param id 32 bytes of its id
   * @param size Its size in bytes, as the tree says; without it any size is right
   * @param options What ends the wait
   * @returns A reader of it
   * @throws {ObjectNotFoundError} If no pack holds it
   * @throws {RangeError} If it has another size
   */
  async openContent(
    id: Uint8Array,
    size?: number,
    options: StoreOptions = {},
  ): Promise<ContentReader> {
    checkBytes(id, "id");
    if (size === 0) {
      return new ContentReader(this, { id, size, root: undefined });
    }
    const { content, recipe } = ObjectKind;
    const location = await this.index.locate(id, content, options);
    if (location !== undefined) {
      checkContentSize(id, location.size, size);
      return new ContentReader(this, {
        id,
        size: location.size,
        root: undefined,
      });
    }
    const bytes = await this.readStored(id, recipe, options);
    if (bytes === undefined) throw new ObjectNotFoundError(id, content);
    const root = RecipeNode.decode(bytes, this.hasher);
    checkContentSize(id, root.plainSize, size);
    return new ContentReader(this, { id, size: root.plainSize, root });
  }

  /**
   * Reads an object as it is stored under its id and kind: one that is a
   * recipe of chunks is not found.
   *
   * @param id 32 bytes of its id
   * @param kind Number of its kind
   * @param options What ends the wait
   * @returns Its plain bytes, owned by the caller; `undefined` where no pack
   * holds it
   * @throws {DamageError} If every copy is damaged
   */
  async readStored(
    id: Uint8Array,
    kind: number,
    options: StoreOptions = {},
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    checkBytes(id, "id");
    for (;;) {
      const { generation } = this.index;
      try {
        return await this.#readOnce(id, kind, options);
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error;
        // What lay there may have been written anew into another pack.
        const copies = await this.index.locateAll(id, kind, options);
        const gone = copies.map(({ packName }) => packName);
        const how = { ...options, gone };
        if (!await this.index.hasChanged(generation, how)) throw error;
      }
    }
  }

  async #readOnce(
    id: Uint8Array,
    kind: number,
    options: StoreOptions,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const first = await this.index.locate(id, kind, options);
    if (first === undefined) return undefined;
    let copies: Location[] | undefined;
    for (;;) {
      options.signal?.throwIfAborted();
      this.ranges.forgetWanted();
      let isCopyWanted = false;
      try {
        const view = this.#reader.take(first, id, 0, () => {
          isCopyWanted = copies === undefined;
          return copies;
        });
        if (view !== undefined) return view.slice();
      } finally {
        this.#reader.release();
      }
      if (isCopyWanted) copies = await this.index.locateAll(id, kind, options);
      else await this.ranges.arrived(options);
    }
  }

  /** Closes the files that are open. */
  async close(): Promise<void> {
    await this.#own?.[Symbol.asyncDispose]();
  }

  /** Closes the files that are open. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #readChunks(
    root: RecipeNode,
    kind: number,
    options: StoreOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { id, plainSize } = root;
    const { hasher } = this;
    const rows = new RecipeReader({ hasher, id, kind, size: plainSize, root });
    const plain = new Uint8Array(plainSize);
    for await (const row of recipeRows(this, rows, options)) {
      if (row.bytes !== undefined) plain.set(await row.bytes, row.offset);
    }
    return plain;
  }

  /**
   * Reads a node of a recipe that is not the root.
   *
   * @param id 32 bytes of its id
   * @param options What ends the wait
   * @returns Its bytes
   * @throws {ObjectNotFoundError} If no pack holds it
   * @throws {DamageError} If every copy is damaged
   */
  async readNode(
    id: Uint8Array,
    options: StoreOptions = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const wanted = id.slice();
    const node = await this.readStored(wanted, ObjectKind.recipe, options);
    if (node === undefined) {
      throw new ObjectNotFoundError(wanted, ObjectKind.recipe);
    }
    return node;
  }

  /**
   * Reads the chunk that a recipe reader has come to.
   *
   * @param row Id and size of the chunk
   * @param options What ends the wait
   * @returns Its bytes, owned by the caller
   * @throws {ObjectNotFoundError} If no pack holds it
   * @throws {DamageError} If every copy is damaged
   * @throws {RangeError} If it has another size than the recipe says
   */
  async readChunk(
    row: {
      readonly ids: Uint8Array;
      readonly idStart: number;
      readonly size: number;
    },
    options: StoreOptions = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { ids, idStart, size } = row;
    const id = ids.slice(idStart, idStart + 32);
    const chunk = await this.readStored(id, ObjectKind.content, options);
    if (chunk === undefined) {
      throw new ObjectNotFoundError(id, ObjectKind.content);
    }
    checkContentSize(id, chunk.length, size);
    return chunk;
  }

  #mismatch(plain: Uint8Array, kind: number, id: Uint8Array): IdMismatchError {
    const actual = new Uint8Array(32);
    const context = contextOf(kind);
    if (context === undefined) this.hasher.hashInto(plain, actual);
    else this.hasher.deriveInto(context, plain, actual);
    return new IdMismatchError(idFromBytes(id), idFromBytes(actual));
  }
}

/**
 * Opens a store for reading: the heads of its index tables are read.
 *
 * @param store The store
 * @param options What hashes, what keeps frames
 * @returns A reader
 * @throws {IndexSyntaxError} If an index table is damaged
 */
export async function openStoreReader(
  store: ReadStore,
  options: StoreReaderOptions,
): Promise<StoreReader> {
  const { hasher, cache = new HeapFrameCache() } = options;
  const own = options.ranges === undefined
    ? await openRanges(store)
    : undefined;
  const ranges = options.ranges ?? own as OpenRanges;
  try {
    const index = options.index ??
      await openIndex(store, { ...options, ranges });
    return new StoreReader({ ...options, index, hasher, cache, ranges, own });
  } catch (error) {
    await own?.[Symbol.asyncDispose]();
    throw error;
  }
}

function checkSize(size: number, sizeMax: number): void {
  if (size <= sizeMax) return;
  throw new RangeError(
    `Cannot read object as it has at most ${sizeMax} bytes: found ${size}`,
  );
}

function checkContentSize(
  id: Uint8Array,
  found: number,
  size = found,
): void {
  if (found === size) return;
  throw new RangeError(
    `Cannot read content ${
      idFromBytes(id)
    } as it has ${size} bytes: found ${found}`,
  );
}
