import { ID_SIZE } from "@snap/hash";
import { FrameDecoder } from "@snap/pack/recipe-content";
import { ObjectCheck, type StoreReader, takeRange } from "@snap/pack/read";
import type { CheckedFrame } from "@snap/pack/sink";
import {
  type FrameRows,
  type ObjectWriter,
  rowsByFrame,
} from "@snap/pack/write";
import type { Pacer } from "@snap/posix/pacer";
import { IdSet } from "@snap/snapshot/reach";
import type { StoreOptions } from "@snap/store";
import { isLoss, type PackPlaces } from "./careful_reader.ts";

/** What became of the objects of a damaged pack. */
export interface RescuedPack {
  /** Objects that were sound here and nowhere else, and lie in another pack now. */
  copiedCount: number;
  /** Objects of which there is a sound copy in another pack. */
  heldCount: number;
  /** Objects that are damaged here, and of which there was no sound copy so far. */
  readonly lost: readonly LostObject[];
}

/** An object that could not be read. */
export interface LostObject {
  /** Its id, 32 bytes. */
  readonly id: Uint8Array;
  /** Number of its kind. */
  readonly kind: number;
}

/** What {@linkcode PackRescue} works with. */
export interface PackRescueParts extends StoreOptions {
  /** Reads objects; its index knows which packs are damaged. */
  readonly reader: StoreReader;
  /** Takes what is sound; nothing is written without it. */
  readonly writer?: ObjectWriter | undefined;
  /** Lets other work go on. */
  readonly pacer: Pacer;
}

/** Copies sound objects out of damaged packs, each once, unless another pack has them. */
export class PackRescue {
  readonly #parts: PackRescueParts;
  readonly #storeOptions: StoreOptions;
  readonly #copied = new IdSet();
  readonly #check: ObjectCheck;
  readonly #decoder = new FrameDecoder();

  /** Copies nothing yet. */
  constructor(parts: PackRescueParts) {
    this.#parts = parts;
    this.#storeOptions = { signal: parts.signal };
    this.#check = new ObjectCheck(parts.reader.hasher);
  }

  /** Whether an object was copied out of one of the packs. */
  hasCopied({ id, kind }: LostObject): boolean {
    return this.#copied.has(id, 0, 0, kind);
  }

  /** Copies what is sound in a pack. */
  async rescue(pack: PackPlaces): Promise<RescuedPack> {
    const { writer, pacer } = this.#parts;
    const lost: LostObject[] = [];
    const found = { copiedCount: 0, heldCount: 0, lost };
    for (const { frame, rows } of rowsByFrame(pack.table)) {
      const wanted = await this.#wantedOf(rows);
      found.heldCount += rows.count - wanted.length;
      if (wanted.length === 0) continue;
      const sound = await this.#copyFrame(pack, frame, rows, wanted);
      found.copiedCount += sound.size;
      for (const row of wanted) {
        if (sound.has(row)) continue;
        const at = ID_SIZE * row;
        lost.push({
          id: rows.ids.slice(at, at + ID_SIZE),
          kind: rows.kinds[row],
        });
      }
      if (writer?.isFull) await writer.makeRoom();
      if (writer?.isBehind) await writer.settled();
      await pacer.yield(pack.table.plainSize(frame));
    }
    return found;
  }

  /** Rows of objects of which there is no sound copy in another pack. */
  async #wantedOf(rows: FrameRows): Promise<number[]> {
    const wanted: number[] = [];
    for (let row = 0; row < rows.count; row++) {
      const kind = rows.kinds[row], at = ID_SIZE * row;
      if (this.#copied.has(rows.ids, at, 0, kind)) continue;
      const id = rows.ids.slice(at, at + ID_SIZE);
      if (!await this.#isHeld(id, kind)) wanted.push(row);
    }
    return wanted;
  }

  /** Whether a pack that is not known to be damaged gives the object: it is read. */
  async #isHeld(id: Uint8Array, kind: number): Promise<boolean> {
    const { index, signal } = { ...this.#parts.reader, ...this.#storeOptions };
    for (;;) {
      const place = await index.locate(id, kind, { signal });
      if (place === undefined || index.index.isBad(place)) return false;
      try {
        await this.#parts.reader.readStored(id, kind, { signal });
      } catch (error) {
        signal?.throwIfAborted();
        if (!isLoss(error)) throw error;
        index.index.markBad(place.packId);
      }
      // Another copy was read where that one is damaged: its pack is marked by now.
      if (!index.index.isBad(place)) return true;
    }
  }

  /** Copies those objects of a frame that are sound; gives their rows. */
  async #copyFrame(
    { name, role, table }: PackPlaces,
    frame: number,
    rows: FrameRows,
    wanted: readonly number[],
  ): Promise<ReadonlySet<number>> {
    const { ranges } = this.#parts.reader;
    const offset = table.frameOffset(frame), length = table.storedSize(frame);
    const plainSize = table.plainSize(frame), codecTag = table.codecTag(frame);
    const crc = table.crc(frame);
    for (;;) {
      const stored = await this.#stored(name, offset, length);
      const plain = stored && this.#decode(codecTag, stored, plainSize);
      const sound = plain === undefined
        ? []
        : wanted.filter((row) => this.#isSound(plain, rows, row));
      const isAgain = stored !== undefined && sound.length < wanted.length &&
        ranges.distrust(name, offset, length);
      if (isAgain) continue;
      if (stored !== undefined && plain !== undefined) {
        const how = { stored, plain, plainSize, codecTag, crc, role };
        this.#take({ ...how, rows: pick(rows, sound) });
      }
      return new Set(sound);
    }
  }

  /** The bytes of a frame; undefined where the disk cannot give them. */
  async #stored(
    name: string,
    offset: number,
    length: number,
  ): Promise<Uint8Array | undefined> {
    const { ranges } = this.#parts.reader;
    try {
      const range = { name, offset, length };
      const reading = takeRange(ranges, range, this.#storeOptions);
      return reading instanceof Promise ? await reading : reading;
    } catch (error) {
      this.#parts.signal?.throwIfAborted();
      if (!isLoss(error)) throw error;
      return undefined;
    }
  }

  #decode(
    codecTag: number,
    stored: Uint8Array,
    plainSize: number,
  ): Uint8Array | undefined {
    try {
      return this.#decoder.decode(codecTag, stored, plainSize);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return undefined;
    }
  }

  #take(frame: CheckedFrame): void {
    const { ids, kinds, count } = frame.rows;
    if (count === 0) return;
    this.#parts.writer?.sink().takeFrame(frame);
    for (let row = 0; row < count; row++) {
      this.#copied.add(ids, ID_SIZE * row, 0, kinds[row]);
    }
  }

  #isSound(plain: Uint8Array, rows: FrameRows, row: number): boolean {
    const start = rows.offsets[row];
    const bytes = plain.subarray(start, start + rows.sizes[row]);
    return this.#check.matches(bytes, rows.kinds[row], rows.ids, ID_SIZE * row);
  }
}

function pick(rows: FrameRows, chosen: readonly number[]): FrameRows {
  const ids = new Uint8Array(ID_SIZE * chosen.length);
  chosen.forEach((row, i) => {
    const at = ID_SIZE * row;
    ids.set(rows.ids.subarray(at, at + ID_SIZE), ID_SIZE * i);
  });
  return {
    count: chosen.length,
    ids,
    kinds: Uint8Array.from(chosen, (row) => rows.kinds[row]),
    offsets: Uint32Array.from(chosen, (row) => rows.offsets[row]),
    sizes: Uint32Array.from(chosen, (row) => rows.sizes[row]),
  };
}
