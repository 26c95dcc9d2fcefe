import { type Hasher, type Id, idFromBytes, idToBytes } from "@snap/hash";
import { ObjectNotFoundError } from "@snap/pack";
import {
  type ObjectWriter,
  openObjectWriter,
  randomBytes,
} from "@snap/pack/write";
import { nativeEncoders } from "@snap/posix/decoders";
import { Pacer } from "@snap/posix/pacer";
import { openSnapshots, type Snapshots } from "@snap/snapshot";
import { finishedSaves } from "@snap/snapshot/records";
import {
  NotAStoreError,
  type StoreOptions,
  type WriteStore,
} from "@snap/store";
import { initStore } from "@snap/store/format";
import { ContentWriter } from "../pack/content_writer.ts";
import { type ContentSource, writeContent } from "../pack/write_content.ts";

/** Options of {@linkcode openObjects}. */
export interface OpenObjectsOptions extends StoreOptions {
  /** The hasher for everything that is read and written. */
  hasher: Hasher;
}

/** Options of {@linkcode Objects.get}. */
export interface GetObjectOptions extends StoreOptions {
  /**
   * First byte.
   *
   * @default {0}
   */
  offset?: number | undefined;
  /** Bytes wanted; fewer come where the object ends. Without it, all up to the end. */
  length?: number | undefined;
}

/** A run of the writer, from the first object to the flush that makes it durable. */
interface Run {
  readonly writer: ObjectWriter;
  readonly content: ContentWriter;
  readonly pacer: Pacer;
}

/**
 * Content under its id, without files and trees. What is stored twice takes room
 * once; large objects are cut into chunks, of which the same holds.
 *
 * No snapshot names the objects, so that a prune of the store removes them: an entry
 * of a snapshot that has the id as its content keeps one.
 */
export class Objects implements AsyncDisposable {
  readonly #snapshots: Snapshots<WriteStore>;
  readonly #options: OpenObjectsOptions;
  readonly #emptyId: Id;
  #run: Run | undefined;
  /** Calls that write come one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Use {@linkcode openObjects}.
   *
   * @internal
   */
  constructor(snapshots: Snapshots<WriteStore>, options: OpenObjectsOptions) {
    this.#snapshots = snapshots;
    this.#options = options;
    this.#emptyId = options.hasher.idOf(new Uint8Array(0));
  }

  /**
   * Stores an object, of any size. It is durable after {@linkcode Objects.flush}.
   *
   * @param content Its bytes.
   * @returns Its id: BLAKE3 of the bytes.
   * @throws {TypeError} If it is something else, or a piece no `Uint8Array`.
   * @throws {StoreError} If the store fails: nothing since the last flush is stored.
   * @throws What the content fails with; what was put before is unharmed.
   */
  async put(content: ContentSource): Promise<Id> {
    return await this.#inTurn(async () => {
      const run = this.#run ??= await this.#begin();
      try {
        return idFromBytes((await writeContent(run.content, content)).id);
      } catch (error) {
        if (run.writer.failure.aborted) await this.#giveUp(run);
        throw error;
      }
    });
  }

  /**
   * Reads an object, or a range of it. All of an object is checked against its id,
   * of a range each chunk.
   *
   * @param id Its id.
   * @param options The range, what ends the wait.
   * @returns Its bytes in pieces.
   * @throws {ObjectNotFoundError} If the store does not hold it.
   * @throws {RangeError} If the range begins before 0, or has no length.
   */
  async get(
    id: Id | Uint8Array,
    options: GetObjectOptions = {},
  ): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const bytes = idToBytes(id);
    const size = this.#isEmpty(bytes) ? 0 : undefined;
    const reader = await this.#snapshots.reader();
    const opening = reader.openContent(bytes, size, options);
    const content = await opening.catch(async (error) => {
      if (!(error instanceof ObjectNotFoundError && this.#run)) throw error;
      await this.flush();
      const next = await this.#snapshots.reader();
      return await next.openContent(bytes, size, options);
    });
    return content.stream(options);
  }

  /**
   * Tells whether the store holds an object.
   *
   * @param id Its id.
   * @param options What ends the wait.
   * @returns Whether {@linkcode Objects.get} finds it.
   */
  async has(id: Id | Uint8Array, options: StoreOptions = {}): Promise<boolean> {
    try {
      await (await this.get(id, options)).cancel();
      return true;
    } catch (error) {
      if (error instanceof ObjectNotFoundError) return false;
      throw error;
    }
  }

  /**
   * Makes durable what was put. Each flush writes a pack, however little is in it.
   *
   * @throws {StoreError} If the store fails: nothing since the last flush is stored.
   * @throws {OvertakenError} If a prune has gone on without this program: put it again.
   */
  async flush(): Promise<void> {
    await this.#inTurn(async () => {
      const run = this.#run;
      if (run === undefined) return;
      this.#run = undefined;
      try {
        await run.writer.finish();
        await run.writer.confirm();
      } catch (error) {
        await this.#giveUp(run);
        throw error;
      }
      await run.writer[Symbol.asyncDispose]();
      await this.#snapshots.refresh();
    });
  }

  /** Makes durable what was put, and closes what was opened. */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#snapshots.close();
    }
  }

  /** Makes durable what was put, and closes what was opened. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #begin(): Promise<Run> {
    const { store, hasher, settings } = this.#snapshots;
    const { signal } = this.#options;
    const writer = await openObjectWriter(store, {
      ...{ hasher, settings, signal, saveId: randomBytes(16), action: "put" },
      encoders: nativeEncoders,
      finishedSaves: () => finishedSaves(store, { signal }),
    });
    const pacer = new Pacer({ signal });
    return { writer, pacer, content: new ContentWriter(writer, hasher, pacer) };
  }

  async #giveUp({ writer }: Run): Promise<void> {
    this.#run = undefined;
    await writer.giveUp();
    await writer[Symbol.asyncDispose]();
  }

  #isEmpty(id: Uint8Array): boolean {
    return idFromBytes(id) === this.#emptyId;
  }

  async #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(step);
    this.#last = turn.catch(() => {});
    return await turn;
  }
}

/**
 * Opens a store for content without trees. One that holds nothing yet becomes a
 * store of the default settings.
 *
 * @example Ten blobs, there and back
 * ```ts
 * import { openObjects } from "@snap/save/objects";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { MemoryStore } from "@snap/store/memory";
 * import { strictEqual } from "node:assert/strict";
 *
 * const objects = await openObjects(new MemoryStore(), { hasher: wasmHasher });
 * for (let i = 0; i < 10; i++) {
 *   const id = await objects.put(new Blob([`blob ${i}`]));
 *   strictEqual(await new Response(await objects.get(id)).text(), `blob ${i}`);
 * }
 * await objects.close();
 * ```
 *
 * @param store The store.
 * @param options The hasher, what ends all waits.
 * @returns The objects.
 * @throws {StoreError} If the store fails.
 * @throws {UnsupportedVersionError} If a newer program has made the store.
 */
export async function openObjects(
  store: WriteStore,
  options: OpenObjectsOptions,
): Promise<Objects> {
  const opening = openSnapshots(store, options);
  const snapshots = await opening.catch(async (error) => {
    if (!(error instanceof NotAStoreError)) throw error;
    await initStore(store, {}, options);
    return await openSnapshots(store, options);
  });
  return new Objects(snapshots, options);
}
