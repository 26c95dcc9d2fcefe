import { equalBytes, type Hasher, type HashStream, ID_SIZE } from "@snap/hash";
import { decodeFrame, type FrameDecoders } from "../codec/frame_decoders.ts";
import { IndexReader } from "../index/index_reader.ts";
import type { ObjectIndex } from "../index/object_index.ts";
import { isPageRequest, type Location } from "../location.ts";
import { ObjectKind } from "../object_kind.ts";
import { type RecipeNode, RecipeRowKind } from "./recipe.ts";
import { RecipeReader } from "./recipe_reader.ts";
import { CodecTag } from "../codec/codec.ts";
import { isMostlyZeros } from "./mostly_zeros.ts";
import { type Ranges, useSound } from "../ranges/ranges.ts";

/** Plain bytes between two steps. */
const STEP_SIZE = 512 * 1024;

/** The step of {@linkcode RecipeContent} while a range is on its way. */
export const WAIT: number = -1;

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
   * Makes a decoder; its buffer grows with the frames.
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
  readonly ranges: Ranges;
  readonly #decoder: FrameDecoder;
  #key = -1;
  #plain: Uint8Array | undefined;

  constructor(ranges: Ranges, decoders: FrameDecoders | undefined) {
    this.ranges = ranges;
    this.#decoder = new FrameDecoder(decoders);
  }

  /** The plain bytes of an object, good until the next call; `undefined` while they are on their way. */
  object(location: Location): Uint8Array | undefined {
    if (location.frameKey !== this.#key || this.#plain === undefined) {
      const { packName, packSize, frameOffset, storedSize, plainSize } =
        location;
      // What was decoded last may lie where the stored bytes go now.
      this.#key = -1;
      const sound = useSound(this.ranges, {
        name: packName,
        offset: frameOffset,
        length: storedSize,
        fileSize: packSize,
      }, (stored) => {
        return this.#decoder.decode(location.codecTag, stored, plainSize);
      });
      if (sound === undefined) return undefined;
      this.#plain = sound.value;
      this.#key = location.frameKey;
    }
    return this.#plain.subarray(
      location.offset,
      location.offset + location.size,
    );
  }
}

/** Options of {@linkcode RecipeContent}. */
export interface RecipeContentOptions {
  /** Opens ranges of the store; those that lie in one file should be read ahead. */
  readonly makeRanges: () => Ranges & Partial<Disposable>;
  /** The index. */
  readonly index: ObjectIndex;
  /** Hasher. */
  readonly hasher: Hasher;
  /** Decoders that run in place of the codecs. */
  readonly decoders?: FrameDecoders;
}

/** Reads large contents by their recipes, each in order; several may be under way. */
export class RecipeContent implements Disposable {
  /** Bytes of content of which the ranges are announced ahead. */
  aheadSize = 0;
  readonly #hasher: Hasher;
  /** Streams that no content uses now. */
  readonly #streams: HashStream[] = [];
  readonly #sparseStreams: HashStream[] = [];
  readonly #ranges: readonly (Ranges & Partial<Disposable>)[];
  readonly #pages: Ranges;
  readonly #chunks: LastFrame;
  readonly #nodes: LastFrame;
  readonly #index: IndexReader;
  readonly #digest = new Uint8Array(ID_SIZE);

  /**
   * Makes a reader; nothing is opened yet.
   *
   * @param options What reads the store, where things lie in it, what hashes and decodes
   */
  constructor(options: RecipeContentOptions) {
    const { makeRanges, index, hasher, decoders } = options;
    this.#hasher = hasher;
    this.#ranges = [makeRanges(), makeRanges(), makeRanges()];
    this.#pages = this.#ranges[0];
    this.#chunks = new LastFrame(this.#ranges[1], decoders);
    this.#nodes = new LastFrame(this.#ranges[2], decoders);
    this.#index = new IndexReader(index, { ranges: this.#pages });
  }

  /**
   * Reads content from its start to its end, and checks all of it at the end.
   *
   * @param object Its id and size.
   * @param sink Takes the bytes; they count only when the generator returns.
   * @returns Steps; each says how many plain bytes have passed since the last, or {@linkcode WAIT}.
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
    const ahead = new Ahead((ids, start) => this.#hint(ids, start));
    let free: HashStream[] | undefined;
    let hash: HashStream | undefined;
    let passed = 0;
    try {
      for (let step = rows.next(); step !== "end"; step = rows.next()) {
        if (step === "node") {
          const { recipe } = ObjectKind;
          let bytes = this.#take(this.#nodes, rows.wanted, 0, recipe);
          for (; bytes === undefined;) {
            yield WAIT;
            bytes = this.#take(this.#nodes, rows.wanted, 0, recipe);
          }
          const node = rows.give(bytes.slice());
          ahead.node = node;
          if (!node.isRoot) continue;
          free = isMostlyZeros(node) ? this.#sparseStreams : this.#streams;
          hash = free.pop() ?? this.#newStream(node);
          hash.reset();
        } else if (rows.rowKind === RecipeRowKind.zeros) {
          yield passed;
          passed = 0;
          yield* passZeros(rows, hash!, sink);
        } else {
          const { ids, idStart, offset, size } = rows;
          let chunk: Uint8Array | undefined;
          for (;;) {
            if (this.aheadSize > 0) ahead.move(offset, this.aheadSize);
            chunk = this.#take(this.#chunks, ids, idStart, ObjectKind.content);
            if (chunk !== undefined) break;
            yield WAIT;
          }
          if (chunk.length !== size) {
            throw new ContentError("a chunk has another size");
          }
          hash!.update(chunk);
          sink.write(chunk, offset);
          passed += size;
          if (passed >= STEP_SIZE) {
            yield passed;
            passed = 0;
          }
        }
      }
      hash!.digestInto(this.#digest);
      if (!equalBytes(this.#digest, 0, object.id, 0, ID_SIZE)) {
        throw new ContentError("the content has another id");
      }
    } finally {
      if (hash !== undefined) free!.push(hash);
    }
    yield passed;
  }

  #newStream(root: RecipeNode): HashStream {
    return isMostlyZeros(root)
      ? this.#hasher.sparseStream()
      : this.#hasher.stream();
  }

  /** Takes an object; `undefined` while it is on its way. */
  #take(
    from: LastFrame,
    ids: Uint8Array,
    start: number,
    kind: number,
  ): Uint8Array | undefined {
    const { index } = this.#index;
    const answer = this.#index.ask(() => index.locate(ids, start, kind));
    if (answer === undefined) throw new ContentError("a part is not there");
    return isPageRequest(answer) ? undefined : from.object(answer);
  }

  /** Announces a chunk; false if only what says where it lies could be announced. */
  #hint(ids: Uint8Array, start: number): boolean {
    const { index } = this.#index;
    const answer = index.locate(ids, start, ObjectKind.content);
    if (answer === undefined) return true;
    if (isPageRequest(answer)) {
      this.#pages.hint(answer.name, answer.offset, answer.length);
      return false;
    }
    const { packName, frameOffset, storedSize } = answer;
    this.#chunks.ranges.hint(packName, frameOffset, storedSize);
    return true;
  }

  /** Closes the files. */
  [Symbol.dispose](): void {
    for (const ranges of this.#ranges) ranges[Symbol.dispose]?.();
  }
}

/** Announces the chunks of a node that come soon. */
class Ahead {
  readonly #hint: (ids: Uint8Array, start: number) => boolean;
  #node: RecipeNode | undefined;
  /** Where the node begins in the content; -1 as long as no row of it was met. */
  #start = -1;
  #next = 0;

  constructor(hint: (ids: Uint8Array, start: number) => boolean) {
    this.#hint = hint;
  }

  set node(node: RecipeNode) {
    this.#node = node;
    this.#start = -1;
    this.#next = 0;
  }

  /** Announces what lies less than `size` bytes behind a row. */
  move(offset: number, size: number): void {
    const node = this.#node!;
    if (this.#start < 0) this.#start = offset;
    const end = offset - this.#start + size;
    // Rows from the first on of which only the place is looked up are announced again.
    let isKnown = true;
    for (let row = this.#next; row < node.count; row++) {
      if (node.start(row) >= end) break;
      const isHinted = node.rowKind(row) === RecipeRowKind.zeros ||
        this.#hint(node.bytes, node.idStart(row));
      isKnown &&= isHinted;
      if (isKnown) this.#next = row + 1;
    }
  }
}

function* passZeros(
  rows: RecipeReader,
  hash: HashStream,
  sink: ContentSink,
): Generator<number, void> {
  const { offset, size } = rows;
  for (let done = 0, hashed = 0; done < size;) {
    if (hashed === done) hashed += hash.updateZeros(size - hashed);
    const part = Math.min(hashed - done, STEP_SIZE);
    sink.writeZeros(part, offset + done);
    done += part;
    yield part;
  }
}
