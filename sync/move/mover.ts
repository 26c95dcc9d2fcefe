import {
  type Hasher,
  type HashStream,
  ID_SIZE,
  IdMismatchError,
} from "@snap/hash";
import { BlakeSpan } from "@snap/hash/blake-span";
import { ObjectKind, type PackRole } from "@snap/pack";
import type { FrameDecoders } from "@snap/pack/codecs";
import { IndexReader, type ObjectIndex } from "@snap/pack/index";
import { isPageRequest, type Location } from "@snap/pack";
import { RecipeReader, RecipeRowKind } from "@snap/pack/recipe";
import {
  contextOf,
  FrameDecoder,
  ObjectCheck,
  type Ranges,
  WAIT,
} from "@snap/pack/recipe-content";
import type { FrameRows } from "@snap/pack/write";
import { NotFoundError, StoreError } from "@snap/store";
import {
  FRAME_COLUMNS,
  type FrameBatch,
  type LargeBatch,
  type MoveBatch,
  type MoveResult,
} from "./batch.ts";
import { rowsWithout, sliceRows } from "./frame_rows.ts";
import { type FrameTaker, OpenFrame } from "./open_frame.ts";
import { Scout } from "./scout.ts";

/** Batches of a store far away that are under way at once. */
export const FAR_BATCHES_MAX = 3;
/** Bytes that each of them asks for ahead. */
export const AHEAD_SIZE: number = 16 << 20;

/** Parts of a {@linkcode Mover}. */
export interface MoverTools {
  /** Bytes of the source. */
  readonly ranges: Ranges;
  /** Where objects lie in the source. */
  readonly index: () => ObjectIndex;
  readonly hasher: Hasher;
  readonly decoders?: FrameDecoders;
  /** Whether ranges are worth asking for ahead. */
  readonly isFar: boolean;
  readonly taker: FrameTaker;
}

/** One object or part that cannot be read from where the index says. */
class UnreadableError extends Error {}

/** Reads frames, checks every object in them, and hands them on. Waits for nothing. */
export class Mover {
  readonly #tools: MoverTools;
  readonly #check: ObjectCheck;
  readonly #decoder: FrameDecoder;
  readonly #frame: OpenFrame;
  #storedByteCount = 0;
  #objectCount = 0;

  constructor(tools: MoverTools) {
    this.#tools = tools;
    this.#check = new ObjectCheck(tools.hasher);
    this.#decoder = new FrameDecoder(tools.decoders);
    this.#frame = new OpenFrame(tools.taker);
  }

  /**
   * Moves a batch.
   *
   * @returns Steps: each says how many plain bytes have passed, or {@linkcode WAIT}
   * where nothing goes on before a range has arrived.
   */
  *move(batch: MoveBatch): Generator<number, MoveResult> {
    this.#storedByteCount = 0;
    this.#objectCount = 0;
    const { number } = batch;
    const outcome = batch.type === "frames"
      ? { failed: yield* this.#moveFrames(batch) }
      : { failed: [], ...yield* this.#moveLarge(batch) };
    const objectCount = this.#objectCount;
    return {
      number,
      ...outcome,
      objectCount,
      storedByteCount: this.#storedByteCount,
    };
  }

  *#moveFrames(batch: FrameBatch): Generator<number, number[]> {
    const { frames, packs, rows } = batch;
    const failed: number[] = [];
    let ahead = 0, aheadSize = 0, first = 0;
    for (let at = 0; at < frames.length; at += FRAME_COLUMNS) {
      while (
        this.#tools.isFar && ahead < frames.length && aheadSize < AHEAD_SIZE
      ) {
        const pack = packs[frames[ahead]];
        this.#tools.ranges.hint(pack, frames[ahead + 1], frames[ahead + 2]);
        aheadSize += frames[ahead + 2];
        ahead += FRAME_COLUMNS;
      }
      aheadSize -= frames[at + 2];
      const end = frames[at + 7];
      const place = {
        packName: packs[frames[at]],
        frameOffset: frames[at + 1],
        storedSize: frames[at + 2],
        plainSize: frames[at + 3],
        codecTag: frames[at + 4],
        crc: frames[at + 5],
        role: frames[at + 6] as PackRole,
      };
      const some = sliceRows(rows, first, end);
      try {
        const stored = yield* this.#stored(place);
        const sound = this.#takeSound(place, stored, some);
        for (const row of sound) failed.push(first + row);
      } catch (error) {
        if (!isUnreadable(error)) throw error;
        for (let row = first; row < end; row++) failed.push(row);
      }
      first = end;
      yield place.plainSize;
    }
    return failed;
  }

  /** Hands on a frame; gives the rows that are not what their ids say. */
  #takeSound(
    place: FramePlace,
    stored: Uint8Array,
    rows: FrameRows,
  ): readonly number[] {
    const { plainSize, codecTag } = place;
    const plain = this.#decoder.decode(codecTag, stored, plainSize);
    const failed: number[] = [];
    for (let row = 0; row < rows.count; row++) {
      const start = rows.offsets[row];
      const bytes = plain.subarray(start, start + rows.sizes[row]);
      const isSound = this.#check.matches(
        bytes,
        rows.kinds[row],
        rows.ids,
        ID_SIZE * row,
      );
      if (!isSound) failed.push(row);
    }
    this.#objectCount += rows.count - failed.length;
    const sound = failed.length === 0 ? rows : rowsWithout(rows, failed);
    if (sound.count > 0) {
      const role = place.role as PackRole;
      const frame = { ...place, role, stored, plain, rows: sound };
      this.#tools.taker.takeFrame({ ...frame, isMissing: true });
    }
    return failed;
  }

  *#moveLarge(batch: LargeBatch): Generator<number, { value?: Uint8Array }> {
    const { offset, length } = batch;
    const hash = this.#hashOf(batch);
    const frame = this.#frame;
    frame.drop(); // What a batch that failed has left.
    const end = offset + length;
    try {
      const reader = this.#readerOf(batch);
      const scout = this.#tools.isFar ? this.#scout(batch) : undefined;
      for (let step = reader.next(); step !== "end"; step = reader.next()) {
        if (step === "node") {
          const { recipe } = ObjectKind;
          const place = yield* this.#locate(reader.wanted, 0, recipe);
          const stored = yield* this.#stored(place);
          const plain = this.#decode(place, stored);
          const bytes = this.#object(place, plain, reader.wanted, 0).slice();
          const node = reader.give(bytes);
          scout?.know(node);
          continue;
        }
        const from = Math.max(reader.offset, offset);
        const to = Math.min(reader.offset + reader.size, end);
        if (reader.rowKind === RecipeRowKind.zeros) {
          for (let left = to - from; left > 0;) {
            left -= hash.updateZeros(left);
            yield 0;
          }
          continue;
        }
        scout?.goTo(reader.offset + AHEAD_SIZE);
        const { ids, idStart } = reader;
        const place = yield* this.#locate(ids, idStart, ObjectKind.content);
        if (place.size !== reader.size) {
          throw new UnreadableError("a chunk has another size");
        }
        if (!frame.isSame(place)) {
          frame.close();
          const stored = yield* this.#stored(place);
          frame.open(place, stored, this.#decode(place, stored));
        }
        const chunk = this.#object(place, frame.plain, ids, idStart);
        this.#objectCount++;
        frame.add(place, ids, idStart);
        const start = reader.offset;
        hash.update(chunk.subarray(from - start, to - start));
        yield to - from;
      }
      frame.close();
      const value = new Uint8Array(ID_SIZE);
      if (hash instanceof BlakeSpan) hash.valueInto(value);
      else hash.digestInto(value);
      return { value };
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      return {};
    }
  }

  #hashOf({ kind, size, offset, length }: LargeBatch): BlakeSpan | HashStream {
    const { hasher } = this.#tools;
    const context = contextOf(kind);
    if (length < size) return new BlakeSpan(offset, context);
    return context === undefined
      ? hasher.stream()
      : hasher.deriveStream(context);
  }

  /** Goes through the recipe of a batch, over its range. */
  #readerOf(batch: LargeBatch): RecipeReader {
    const { hasher } = this.#tools;
    const reader = new RecipeReader({ hasher, ...batch });
    reader.seek(batch.offset, batch.offset + batch.length);
    return reader;
  }

  /** Asks for chunks ahead, as far as the nodes that name them were met. */
  #scout(batch: LargeBatch): Scout {
    const { ranges } = this.#tools;
    return new Scout(this.#readerOf(batch), (ids, idStart) => {
      const index = this.#tools.index();
      const answer = index.locate(ids, idStart, ObjectKind.content);
      if (answer === undefined) return;
      if (isPageRequest(answer)) {
        ranges.hint(answer.name, answer.offset, answer.length);
      } else {
        const { packName, frameOffset, storedSize } = answer;
        ranges.hint(packName, frameOffset, storedSize);
      }
    });
  }

  *#locate(
    ids: Uint8Array,
    idStart: number,
    kind: number,
  ): Generator<number, Location> {
    const { ranges } = this.#tools;
    const index = this.#tools.index();
    const reader = new IndexReader(index, { ranges });
    for (;;) {
      const answer = reader.ask(() => index.locate(ids, idStart, kind));
      if (answer === undefined) throw new UnreadableError("a part is gone");
      if (!isPageRequest(answer)) return answer;
      yield WAIT;
    }
  }

  *#stored(place: FramePlace): Generator<number, Uint8Array> {
    const { packName, frameOffset, storedSize } = place;
    for (;;) {
      const { ranges } = this.#tools;
      const stored = ranges.take(packName, frameOffset, storedSize);
      if (stored !== undefined) {
        this.#storedByteCount += storedSize;
        return stored;
      }
      yield WAIT;
    }
  }

  #decode({ codecTag, plainSize }: FramePlace, stored: Uint8Array): Uint8Array {
    return this.#decoder.decode(codecTag, stored, plainSize);
  }

  #object(
    { offset, size, kind }: Location,
    plain: Uint8Array,
    ids: Uint8Array,
    idStart: number,
  ): Uint8Array {
    const bytes = plain.subarray(offset, offset + size);
    if (this.#check.matches(bytes, kind, ids, idStart)) return bytes;
    throw new UnreadableError("an object has another id");
  }
}

/** Where a frame lies, and how. */
type FramePlace =
  & Pick<
    Location,
    | "packName"
    | "frameOffset"
    | "storedSize"
    | "plainSize"
    | "crc"
  >
  & { readonly codecTag: number; readonly role: PackRole | number };

/** Whether another copy may be sound; anything else ends the run. */
function isUnreadable(error: unknown): boolean {
  return error instanceof UnreadableError || error instanceof SyntaxError ||
    error instanceof NotFoundError || error instanceof IdMismatchError ||
    (error instanceof StoreError && error.code === "SHORT");
}
