/**
 * Objects in, packs out, as a stream.
 *
 * @module
 */
import { checkBytes } from "@snap/hash";
import { type ChunkSizes, ChunkStream } from "@snap/hash/chunk";
import { ID_SIZE } from "../bytes.ts";
import { FRAME_SIZE_MAX } from "../codec/codec.ts";
import { FrameBuilder } from "./frame_builder.ts";
import { ObjectKind, PackRole } from "../object_kind.ts";
import { PACK_HEADER_SIZE } from "./pack_footer.ts";
import {
  type FinishedPack,
  PackWriter,
  type PackWriterOptions,
} from "./pack_writer.ts";
import { RecipeBuilder } from "../recipe/recipe_builder.ts";
import { isZeros } from "../recipe/zeros.ts";

/** Size of packs in bytes where nothing else is asked for. */
export const PACK_SIZE_TARGET: number = 64 << 20;

/** Plain size of frames in bytes where nothing else is asked for. */
export const FRAME_SIZE_TARGET: number = 256 << 10;

/** Options of a {@linkcode PackStream}. */
export interface PackStreamOptions
  extends Omit<PackWriterOptions, "sink" | "salt"> {
  /** Size of packs in bytes, 64 MiB if left out; the last frame may exceed it. */
  readonly packSize?: number;
  /** Plain size of frames in bytes, 256 KiB if left out; a larger object is alone. */
  readonly frameSize?: number;
  /** What decides where objects above 4 MiB are cut, as the settings of a store say. */
  readonly chunk?: ChunkSizes;
}

/** An object of a {@linkcode PackStream}: its bytes, or what gives them in pieces. */
export type StreamedObject = Uint8Array | AsyncIterable<Uint8Array>;

/** A pack with its bytes. */
export interface PackedBytes extends FinishedPack {
  /** The bytes, in pieces. */
  readonly parts: Uint8Array<ArrayBuffer>[];
}

/**
 * Gathers batches of content, such as the chunks of a `ChunkStream`, into
 * packs. Content that comes twice is stored once in a pack. An object above 4 MiB,
 * which no frame has room for, is cut into chunks under a recipe; recipes stand in
 * packs of their own, of role `trees`, which come after their chunks. One pack of each
 * role is in memory, whatever the size of an object.
 *
 * @example
 * ```ts
 * import { noneCodec } from "@snap/pack/codecs";
 * import { PackStream } from "@snap/pack/stream";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { ChunkStream } from "@snap/hash/chunk";
 * import { equal } from "node:assert/strict";
 *
 * const packs = new Blob(["hello ".repeat(50_000)]).stream()
 *   .pipeThrough(new ChunkStream())
 *   .pipeThrough(
 *     new PackStream({
 *       role: 1,
 *       saveId: new Uint8Array(16),
 *       codec: noneCodec,
 *       hasher: wasmHasher,
 *     }),
 *   );
 * for await (const pack of packs) {
 *   const size = pack.parts.reduce((sum, part) => sum + part.length, 0);
 *   equal(size, pack.size);
 * }
 * ```
 */
export class PackStream
  implements TransformStream<readonly StreamedObject[], PackedBytes> {
  /** Takes batches of objects. */
  readonly writable: WritableStream<readonly StreamedObject[]>;
  /** Gives packs. */
  readonly readable: ReadableStream<PackedBytes>;

  /**
   * Opens the stream.
   *
   * @param options What the packs hold, and with what they are made
   */
  constructor(options: PackStreamOptions) {
    const packer = new Packer(options);
    const batches = new TransformStream<readonly StreamedObject[]>();
    this.writable = batches.writable;
    // A transformer waits for its reader between two batches only, and one object may be many packs.
    this.readable = ReadableStream.from(packer.pack(batches.readable));
  }
}

class Packer {
  readonly #options: PackStreamOptions;
  readonly #content: PackInHand;
  readonly #recipes: PackInHand;
  readonly #id = new Uint8Array(ID_SIZE);

  constructor(options: PackStreamOptions) {
    this.#options = options;
    this.#content = new PackInHand(options);
    this.#recipes = new PackInHand({ ...options, role: PackRole.trees });
  }

  async *pack(
    batches: AsyncIterable<readonly StreamedObject[]>,
  ): AsyncGenerator<PackedBytes, void, void> {
    for await (const batch of batches) {
      for (const object of batch) {
        const isWhole = object instanceof Uint8Array &&
          object.length <= FRAME_SIZE_MAX;
        if (!isWhole) yield* this.#add(object);
        else if (object.length > 0) this.#put(object);
        yield* this.#full();
      }
    }
    yield* this.#finish();
  }

  /** Adds an object, whole where a frame has room for it. */
  async *#add(
    object: StreamedObject,
  ): AsyncGenerator<PackedBytes, void, void> {
    const pieces = piecesOf(object);
    const head: Uint8Array<ArrayBuffer>[] = [];
    try {
      for (let size = 0; size <= FRAME_SIZE_MAX;) {
        const { done, value } = await pieces.next();
        if (done) {
          if (size > 0) this.#put(await new Blob(head).bytes());
          return;
        }
        head.push(value);
        size += value.length;
      }
      yield* this.#cut(head, pieces);
    } finally {
      await pieces.return();
    }
  }

  async *#cut(
    head: Uint8Array<ArrayBuffer>[],
    rest: AsyncIterable<Uint8Array<ArrayBuffer>>,
  ): AsyncGenerator<PackedBytes, void, void> {
    const { hasher, chunk: sizes } = this.#options;
    const hash = hasher.stream();
    const hashed = async function* () {
      for (let piece = head.shift(); piece; piece = head.shift()) {
        hash.update(piece);
        yield piece;
      }
      for await (const piece of rest) {
        hash.update(piece);
        yield piece;
      }
    };
    const recipe = new RecipeBuilder({
      hasher,
      onNode: (bytes, id) => this.#recipes.add(bytes, id, ObjectKind.recipe),
    });
    const cut = ReadableStream.from(hashed()).pipeThrough(
      new ChunkStream(sizes),
    );
    for await (const chunks of cut) {
      for (const chunk of chunks) {
        if (isZeros(chunk)) {
          recipe.pushZeros(chunk.length);
          continue;
        }
        this.#put(chunk);
        recipe.push(this.#id, 0, chunk.length);
      }
      yield* this.#full();
    }
    const id = new Uint8Array(ID_SIZE);
    hash.digestInto(id);
    recipe.finish({ id, kind: ObjectKind.content });
  }

  #put(plain: Uint8Array): void {
    this.#options.hasher.hashInto(plain, this.#id);
    this.#content.add(plain, this.#id, ObjectKind.content);
  }

  /** Gives what is full. */
  *#full(): Generator<PackedBytes, void> {
    if (this.#recipes.isFull) yield* this.#finish();
    else if (this.#content.isFull) yield this.#content.finish();
  }

  /** Gives what there is: recipes come after their chunks. */
  *#finish(): Generator<PackedBytes, void> {
    for (const pack of [this.#content, this.#recipes]) {
      if (!pack.isEmpty) yield pack.finish();
    }
  }
}

/** One pack in memory, and after it the next. */
class PackInHand {
  readonly #options: PackStreamOptions;
  readonly #frame = new FrameBuilder();
  readonly #frameSize: number;
  readonly #packSize: number;
  #parts: Uint8Array<ArrayBuffer>[] = [];
  #writer: PackWriter;

  constructor(options: PackStreamOptions) {
    this.#options = options;
    this.#frameSize = options.frameSize ?? FRAME_SIZE_TARGET;
    this.#packSize = options.packSize ?? PACK_SIZE_TARGET;
    this.#writer = this.#newWriter();
  }

  get isEmpty(): boolean {
    return this.#writer.size === PACK_HEADER_SIZE && this.#frame.size === 0;
  }

  get isFull(): boolean {
    return this.#writer.size >= this.#packSize;
  }

  add(plain: Uint8Array, id: Uint8Array, kind: ObjectKind): void {
    const frame = this.#frame;
    if (frame.size > 0 && frame.size + plain.length > this.#frameSize) {
      this.#flush();
    }
    frame.add(plain, id, 0, kind);
    if (frame.size >= this.#frameSize) this.#flush();
  }

  finish(): PackedBytes {
    if (this.#frame.size > 0) this.#flush();
    const pack = { ...this.#writer.finish(), parts: this.#parts };
    this.#parts = [];
    this.#writer = this.#newWriter();
    return pack;
  }

  #flush(): void {
    this.#writer.addFrame(this.#frame.plain(), this.#frame.rows);
    this.#frame.clear();
  }

  #newWriter(): PackWriter {
    const salt = crypto.getRandomValues(new Uint8Array(32));
    const write = (bytes: Uint8Array): void => {
      this.#parts.push(bytes.slice());
    };
    return new PackWriter({ ...this.#options, salt, sink: { write } });
  }
}

/** Pieces of an object that belong to the caller. */
async function* piecesOf(
  object: StreamedObject,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
  const isStream = Symbol.asyncIterator in Object(object);
  for await (const piece of isStream ? object : [object]) {
    checkBytes(piece, "content");
    yield piece.slice();
  }
}
