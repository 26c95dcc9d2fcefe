/**
 * Reads the content of one file: ranges of it, or all of it as a stream.
 *
 * @module
 */
import { type HashStream, idFromBytes, IdMismatchError } from "@snap/hash";
import type { StoreOptions } from "@snap/store";
import { ObjectNotFoundError } from "../errors.ts";
import { ObjectKind } from "../object_kind.ts";
import type { RecipeNode } from "../recipe/recipe.ts";
import { type RecipeRow, recipeRows } from "./recipe_rows.ts";
import { RecipeReader } from "../recipe/recipe_reader.ts";
import type { StoreReader } from "./store_reader.ts";

/** Most bytes of a run of zeros that a stream hands out at once. */
const ZEROS_SIZE = 1 << 20;

/** Most bytes of content in memory that are hashed between two turns of the event loop. */
const HASH_SIZE = 1 << 19;

/** Options of {@linkcode ContentReader.read} and {@linkcode ContentReader.stream}. */
export interface ReadContentOptions extends StoreOptions {
  /**
   * Told of bytes that were read and checked, to let other work of the thread go on.
   *
   * @param byteCount How many.
   * @returns What to wait for, `undefined` where reading can go on.
   */
  pace?(byteCount: number): Promise<void> | undefined;
}

/** Options of {@linkcode ContentReader.stream}. */
export interface StreamContentOptions extends ReadContentOptions {
  /**
   * First byte.
   *
   * @default {0}
   */
  offset?: number | undefined;
  /** Bytes wanted; fewer come where the content ends. Without it, all up to the end. */
  length?: number | undefined;
}

/** A range of content, to the byte before its end. */
interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Content that is open: its id, its size, the root of its recipe. */
export interface OpenContent {
  /** 32 bytes of its id. */
  readonly id: Uint8Array;
  /** Its size in bytes. */
  readonly size: number;
  /** Root of its recipe, where it has one. */
  readonly root: RecipeNode | undefined;
}

/**
 * Reads the content of one file. A range is checked chunk by chunk, a whole
 * stream against the id of the content, too.
 */
export class ContentReader {
  /** 32 bytes of the content's id. */
  readonly id: Uint8Array;
  /** Its size in bytes. */
  readonly size: number;
  readonly #store: StoreReader;
  readonly #root: RecipeNode | undefined;
  /** Walks of the recipe that nobody uses now: they know nodes. */
  readonly #walks: RecipeReader[] = [];

  /**
   * Use `openContent` of a store reader.
   *
   * @param store What reads objects
   * @param content What is known of the content
   */
  constructor(store: StoreReader, content: OpenContent) {
    this.#store = store;
    this.id = content.id;
    this.size = content.size;
    this.#root = content.root;
  }

  /**
   * Reads a range.
   *
   * @param offset First byte
   * @param length Bytes wanted; fewer come where the content ends
   * @param options What ends the wait, what paces it
   * @returns The bytes, owned by the caller
   * @throws {RangeError} If the range begins before 0, or has no length
   * @throws {DamageError} If every copy of a chunk is damaged
   * @throws {IdMismatchError} If all of the content was read, and is not what its id says
   */
  async read(
    offset: number,
    length: number,
    options: ReadContentOptions = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { start, end } = this.#range(offset, length);
    if (start === end) return new Uint8Array(0);
    if (this.#root === undefined) {
      const whole = await this.#whole(options);
      await options.pace?.(whole.length);
      return end - start === whole.length ? whole : whole.slice(start, end);
    }
    const bytes = await this.#readRows(this.#root, { start, end }, options);
    // A recipe is a claim: who has all of the content can prove it.
    if (bytes.length === this.size) await this.#check(bytes, options);
    return bytes;
  }

  /**
   * Streams the content, or a range of it. All of it is checked against its id at
   * the end.
   *
   * @param options The range, what ends the stream, what paces it
   * @returns The bytes in pieces; the stream fails where they do not match
   * @throws {RangeError} If the range begins before 0, or has no length
   */
  stream(
    options: StreamContentOptions = {},
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    const range = this.#range(options.offset, options.length);
    const isWhole = range.end - range.start === this.size;
    const pieces = this.#pieces(range, options);
    const hash = this.#store.hasher.stream();
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        const { done, value } = await pieces.next();
        if (!done) {
          if (isWhole) hash.update(value);
          const turn = options.pace?.(value.length);
          if (turn !== undefined) await turn;
          controller.enqueue(value);
          return;
        }
        if (isWhole) this.#compare(hash);
        controller.close();
      },
      cancel: async () => void await pieces.return(undefined),
    }, { highWaterMark: 0 });
  }

  async #check(bytes: Uint8Array, options: ReadContentOptions): Promise<void> {
    const hash = this.#store.hasher.stream();
    for (let at = 0; at < bytes.length; at += HASH_SIZE) {
      const piece = bytes.subarray(at, at + HASH_SIZE);
      hash.update(piece);
      const turn = options.pace?.(piece.length);
      if (turn !== undefined) await turn;
    }
    this.#compare(hash);
  }

  #compare(hash: HashStream): void {
    const expected = idFromBytes(this.id);
    const actual = hash.digest();
    if (actual !== expected) throw new IdMismatchError(expected, actual);
  }

  #range(offset = 0, length = Infinity): ByteRange {
    if (!(offset >= 0 && length >= 0)) {
      throw new RangeError(
        `Cannot read content as a range begins at 0 or above: found ${length} bytes at ${offset}`,
      );
    }
    const start = Math.min(offset, this.size);
    return { start, end: Math.min(start + length, this.size) };
  }

  async #whole(options: StoreOptions): Promise<Uint8Array<ArrayBuffer>> {
    const { content } = ObjectKind;
    const bytes = await this.#store.readStored(this.id, content, options);
    if (bytes === undefined) throw new ObjectNotFoundError(this.id, content);
    return bytes;
  }

  async #readRows(
    root: RecipeNode,
    range: ByteRange,
    options: ReadContentOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { start, end } = range;
    const out = new Uint8Array(end - start);
    for await (const row of this.#rows(root, range, options)) {
      if (row.bytes === undefined) continue;
      const bytes = await row.bytes;
      const { from, to } = partOf(row, range);
      out.set(bytes.subarray(from, to), row.offset + from - start);
      const turn = options.pace?.(bytes.length);
      if (turn !== undefined) await turn;
    }
    return out;
  }

  async *#pieces(
    range: ByteRange,
    options: StoreOptions,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    if (range.start === range.end) return;
    if (this.#root === undefined) {
      yield (await this.#whole(options)).subarray(range.start, range.end);
      return;
    }
    for await (const row of this.#rows(this.#root, range, options)) {
      const { from, to } = partOf(row, range);
      if (row.bytes !== undefined) yield (await row.bytes).subarray(from, to);
      else {
        for (let left = to - from; left > 0; left -= ZEROS_SIZE) {
          yield new Uint8Array(Math.min(left, ZEROS_SIZE));
        }
      }
    }
  }

  async *#rows(
    root: RecipeNode,
    range: ByteRange,
    options: StoreOptions,
  ): AsyncGenerator<RecipeRow, void, void> {
    const { id, size } = this;
    const { hasher } = this.#store;
    const walk = this.#walks.pop() ??
      new RecipeReader({ hasher, id, size, kind: ObjectKind.content, root });
    walk.seek(range.start, range.end);
    yield* recipeRows(this.#store, walk, options);
    this.#walks.push(walk);
  }
}

/** Which part of a row lies in a range. */
function partOf(
  { offset, size }: RecipeRow,
  { start, end }: ByteRange,
): { readonly from: number; readonly to: number } {
  return {
    from: Math.max(start - offset, 0),
    to: Math.min(end - offset, size),
  };
}
