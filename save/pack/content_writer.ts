import type { Hasher, HashStream } from "@snap/hash";
import type { Pacer } from "@snap/posix/pacer";
import { ObjectKind } from "@snap/pack";
import type { ObjectWriter } from "@snap/pack/write";
import type { StoreOptions } from "@snap/store";
import {
  isZeros,
  PASSED_HOLE_MIN,
  passHole,
  type RecipeBuilder,
  SPARSE_PART,
} from "@snap/pack/recipe-writer";
import { ContentPacker } from "./content_packer.ts";

/** Content above one chunk is cut in a window of this size. */
const WINDOW_SIZE = 4 * 1024 * 1024;

/** Stores the content of files that come piece by piece, one after the other. */
export class ContentWriter {
  readonly #writer: ObjectWriter;
  readonly #packer: ContentPacker;
  readonly #pacer: Pacer;
  readonly #whole: HashStream;
  readonly #sparse: HashStream;
  readonly #id = new Uint8Array(32);
  readonly #emptyId = new Uint8Array(32);
  readonly #window = new Uint8Array(WINDOW_SIZE);
  #hash: HashStream;
  #isSizeKnown = true;
  #recipe: RecipeBuilder | undefined;
  #isLarge = false;
  #held = 0;

  /**
   * Makes the writer of one import.
   *
   * @param writer The way into the store.
   * @param hasher The hasher.
   * @param pacer Lets the event loop have its turn.
   */
  constructor(writer: ObjectWriter, hasher: Hasher, pacer: Pacer) {
    this.#writer = writer;
    this.#pacer = pacer;
    this.#packer = new ContentPacker(writer.sink(), {
      ...{ hasher, target: writer, isNaming: false },
    });
    this.#whole = hasher.stream();
    this.#sparse = hasher.sparseStream();
    this.#hash = this.#whole;
    hasher.hashInto(new Uint8Array(0), this.#emptyId);
  }

  /**
   * Begins a file.
   *
   * @param size Bytes that it will have, those of holes too; nothing where nobody knows.
   * @param holeSize How many of them are told as zeros, not written.
   */
  begin(size?: number, holeSize = 0): void {
    const isSparse = size !== undefined && holeSize >= SPARSE_PART * size;
    this.#hash = isSparse ? this.#sparse : this.#whole;
    this.#hash.reset();
    this.#held = 0;
    this.#isLarge = false;
    this.#isSizeKnown = size !== undefined;
    this.#growTo(size ?? 0);
  }

  /** Adds bytes, which may change afterwards. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      if (this.#held === WINDOW_SIZE) await this.#cut(false);
      const room = Math.min(WINDOW_SIZE - this.#held, bytes.length - at);
      const piece = bytes.subarray(at, at + room);
      if (!this.#isSizeKnown) this.#growTo(this.#held + room);
      this.#window.set(piece, this.#held);
      if (this.#isLarge) this.#hash.update(piece);
      this.#held += room;
      at += room;
    }
  }

  /** Adds zeros. */
  async writeZeros(size: number): Promise<void> {
    for (let left = size; left > 0;) {
      if (this.#isLarge && left >= PASSED_HOLE_MIN) {
        await this.#cut(false);
        if (isZeros(this.#window.subarray(0, this.#held))) {
          return await this.#pass(left);
        }
      }
      if (this.#held === WINDOW_SIZE) await this.#cut(false);
      const room = Math.min(WINDOW_SIZE - this.#held, left);
      if (!this.#isSizeKnown) this.#growTo(this.#held + room);
      const piece = this.#window.subarray(this.#held, this.#held + room);
      piece.fill(0);
      if (this.#isLarge) this.#hash.update(piece);
      this.#held += room;
      left -= room;
    }
  }

  /**
   * Ends the file.
   *
   * @returns Its id, good until the next call.
   */
  async end(): Promise<Uint8Array> {
    const packer = this.#packer;
    if (!this.#isLarge) {
      const bytes = this.#window.subarray(0, this.#held);
      await this.makeRoom();
      return bytes.length === 0 ? this.#emptyId : packer.putContent(bytes);
    }
    await this.#cut(true);
    const id = this.#id;
    this.#hash.digestInto(id);
    packer.sink.closeLarge();
    if (packer.sink.claimLarge(id, 0)) packer.finishRecipe(id);
    packer.flushRecipes();
    return id;
  }

  /**
   * Stores bytes that are at hand, such as a large attribute.
   *
   * @returns Their id, which belongs to the caller.
   */
  put(bytes: Uint8Array): Uint8Array {
    return this.#packer.putContent(bytes);
  }

  /**
   * Tells whether the store holds content already, all of it.
   *
   * @param id Its id.
   */
  async holds(id: Uint8Array, options?: StoreOptions): Promise<boolean> {
    const kinds = Uint8Array.of(ObjectKind.content);
    const [isMissing] = await this.#writer.missing(id, kinds, options);
    return isMissing === 0;
  }

  /** Waits where the store is behind, or what was claimed has to go into the index. */
  async makeRoom(): Promise<void> {
    const turn = this.#pacer.yield(this.#held);
    if (turn !== undefined) await turn;
    this.#writer.failure.throwIfAborted();
    if (this.#writer.isFull) await this.#writer.makeRoom();
    if (this.#writer.isBehind) await this.#writer.settled();
  }

  /** Content above one chunk has a recipe, and is hashed on its way. */
  #growTo(size: number): void {
    if (this.#isLarge || size <= this.#packer.chunkSizeMax) return;
    this.#isLarge = true;
    this.#recipe = this.#packer.beginRecipe();
    this.#hash.update(this.#window.subarray(0, this.#held));
  }

  async #pass(size: number): Promise<void> {
    const work = {
      recipe: this.#recipe!,
      whole: this.#hash,
      chunkSizeMax: this.#packer.chunkSizeMax,
      isStopped: () => false,
    };
    this.#held = await this.#pacer.run(passHole(work, this.#held, size));
    this.#window.fill(0, 0, this.#held);
  }

  /** Cuts what is in the window into chunks, all but one that may go on. */
  async #cut(isLast: boolean): Promise<void> {
    const bytes = this.#window.subarray(0, this.#held);
    const steps = this.#packer.putChunks(bytes, this.#recipe!, isLast);
    const used = await this.#pacer.run(steps);
    this.#window.copyWithin(0, used, this.#held);
    this.#held -= used;
    await this.makeRoom();
  }
}
