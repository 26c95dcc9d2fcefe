import { equalBytes, type Hasher, type HashStream, ID_SIZE } from "@snap/hash";
import { decodeFrame, type FrameDecoders } from "../codec/frame_decoders.ts";
import { type IndexFiles, openIndexFiles } from "../index/index_files.ts";
import type { Location } from "../location.ts";
import { ObjectKind } from "../object_kind.ts";
import { type RecipeNode, RecipeRowKind } from "./recipe.ts";
import { RecipeReader } from "./recipe_reader.ts";
import { CodecTag } from "../codec/codec.ts";
import { isMostlyZeros } from "./mostly_zeros.ts";
import { LocalFiles } from "../ranges/local_files.ts";

/** A table of the index for a worker. */
export interface WorkerTable {
  readonly name: string;
  readonly size: number;
  /** All its bytes, where it is in memory alone. */
  readonly bytes?: Uint8Array;
}

/** Memory for pages of the index. */
const INDEX_CACHE_SIZE = 8 * 1024 * 1024;
/** Plain bytes between two steps. */
const STEP_SIZE = 512 * 1024;

/** Content that is not what its id says, or is not there. */
export class ContentError extends Error {
  /** Always `ContentError`. */
  override readonly name: string = "ContentError";
}

/** Takes the bytes of one file, in order. */
export interface ContentSink {
  /** Takes bytes, good until the call ends. */
  write(bytes: Uint8Array, offset: number): void;
  /** Takes a run of zeros. */
  writeZeros(size: number, offset: number): void;
}

/** Decodes frames, one at a time. */
export class FrameDecoder {
  readonly #decoders: FrameDecoders;
  #plain = new Uint8Array(256 * 1024);

  /**
   * Constructs a new instance.
   *
   * @param decoders What decodes instead of the codecs.
   */
  constructor(decoders: FrameDecoders = {}) {
    this.#decoders = decoders;
  }

  /**
   * Decodes a frame.
   *
   * @param codec The number of its codec.
   * @param stored Its stored bytes.
   * @param plainSize Its plain size.
   * @returns The plain bytes, good until the next call or while `stored` is.
   * @throws {FrameSyntaxError} If it cannot be decoded.
   */
  decode(codec: number, stored: Uint8Array, plainSize: number): Uint8Array {
    if (codec === CodecTag.none && stored.length === plainSize) return stored;
    if (this.#plain.length < plainSize) this.#plain = new Uint8Array(plainSize);
    const plain = this.#plain.subarray(0, plainSize);
    decodeFrame(codec, stored, plain, this.#decoders);
    return plain;
  }
}

/** A frame that was decoded last. */
class LastFrame {
  readonly files: LocalFiles;
  readonly #decoder: FrameDecoder;
  #key = -1;
  #plain: Uint8Array | undefined;

  constructor(files: LocalFiles, decoders: FrameDecoders | undefined) {
    this.files = files;
    this.#decoder = new FrameDecoder(decoders);
  }

  /** The plain bytes of an object, good until the next call. */
  object(location: Location): Uint8Array {
    if (location.frameKey !== this.#key || this.#plain === undefined) {
      this.#key = -1;
      const { packName, frameOffset, storedSize, plainSize } = location;
      const stored = this.files.frame(packName, frameOffset, storedSize);
      this.#plain = this.#decoder.decode(
        location.codecTag,
        stored,
        plainSize,
      );
      this.#key = location.frameKey;
    }
    return this.#plain.subarray(
      location.offset,
      location.offset + location.size,
    );
  }
}

/** Reads large content of a local store by its recipe, in order. */
export class RecipeContent implements Disposable {
  readonly #hasher: Hasher;
  readonly #whole: HashStream;
  #sparse: HashStream | undefined;
  /** That of the content in hand. */
  #hash: HashStream;
  readonly #tables: LocalFiles;
  readonly #chunks: LastFrame;
  readonly #nodes: LastFrame;
  readonly #indexTables: Iterable<WorkerTable>;
  /** Tables that are in memory alone. */
  readonly #built = new Map<string, Uint8Array>();
  readonly #digest = new Uint8Array(ID_SIZE);
  #index: IndexFiles | undefined;

  /**
   * Constructs a new instance; nothing is opened yet.
   *
   * @param options Where the files of the store lie, its tables, what hashes and decodes.
   */
  constructor(
    options: {
      readonly storePrefix: string;
      readonly indexTables: Iterable<WorkerTable>;
      readonly hasher: Hasher;
      readonly decoders?: FrameDecoders;
    },
  ) {
    const { storePrefix, decoders } = options;
    this.#hasher = options.hasher;
    this.#hash = this.#whole = options.hasher.stream();
    this.#indexTables = options.indexTables;
    for (const { name, bytes } of options.indexTables) {
      if (bytes !== undefined) this.#built.set(name, bytes);
    }
    this.#tables = new LocalFiles(storePrefix);
    this.#chunks = new LastFrame(new LocalFiles(storePrefix), decoders);
    this.#nodes = new LastFrame(new LocalFiles(storePrefix), decoders);
  }

  /**
   * Reads content from its start to its end, and checks all of it at the end.
   *
   * @param object Its id and size.
   * @param sink Takes the bytes; they count only when the generator returns.
   * @returns Steps; each says how many plain bytes have passed since the last.
   * @throws {ContentError} If it is not what its id says, or is not there.
   */
  *read(
    object: { readonly id: Uint8Array; readonly size: number },
    sink: ContentSink,
  ): Generator<number, void> {
    const rows = new RecipeReader({
      hasher: this.#hasher,
      kind: ObjectKind.content,
      ...object,
    });
    let passed = 0;
    for (let step = rows.next(); step !== "end"; step = rows.next()) {
      if (step === "node") {
        const node = this.#find(rows.wanted, 0, ObjectKind.recipe);
        const given = rows.give(this.#nodes.object(node).slice());
        if (given.isRoot) this.#begin(given);
      } else if (rows.rowKind === RecipeRowKind.zeros) {
        yield passed;
        passed = 0;
        yield* this.#passZeros(rows, sink);
      } else {
        this.#passChunk(rows, sink);
        passed += rows.size;
        if (passed >= STEP_SIZE) {
          yield passed;
          passed = 0;
        }
      }
    }
    this.#hash.digestInto(this.#digest);
    if (!equalBytes(this.#digest, 0, object.id, 0, ID_SIZE)) {
      throw new ContentError("the content has another id");
    }
    yield passed;
  }

  #begin(root: RecipeNode): void {
    this.#hash = isMostlyZeros(root)
      ? this.#sparse ??= this.#hasher.sparseStream()
      : this.#whole;
    this.#hash.reset();
  }

  #passChunk(rows: RecipeReader, sink: ContentSink): void {
    const location = this.#find(rows.ids, rows.idStart, ObjectKind.content);
    if (location.size !== rows.size) {
      throw new ContentError("a chunk has another size");
    }
    const bytes = this.#chunks.object(location);
    this.#hash.update(bytes);
    sink.write(bytes, rows.offset);
  }

  *#passZeros(rows: RecipeReader, sink: ContentSink): Generator<number, void> {
    const { offset, size } = rows;
    for (let done = 0, hashed = 0; done < size;) {
      if (hashed === done) hashed += this.#hash.updateZeros(size - hashed);
      const part = Math.min(hashed - done, STEP_SIZE);
      sink.writeZeros(part, offset + done);
      done += part;
      yield part;
    }
  }

  #find(ids: Uint8Array, idStart: number, kind: number): Location {
    this.#index ??= openIndexFiles({
      tables: this.#indexTables,
      readAt: (name, offset, out) => {
        const bytes = this.#built.get(name);
        if (bytes === undefined) this.#tables.readAt(name, offset, out);
        else out.set(bytes.subarray(offset, offset + out.length));
      },
      hasher: this.#hasher,
      cacheSize: INDEX_CACHE_SIZE,
    });
    const location = this.#index.locate(ids, idStart, kind);
    if (location === undefined) throw new ContentError("a part is not there");
    return location;
  }

  /** Closes the files. */
  [Symbol.dispose](): void {
    this.#tables[Symbol.dispose]();
    this.#chunks.files[Symbol.dispose]();
    this.#nodes.files[Symbol.dispose]();
  }
}
