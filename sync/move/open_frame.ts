import { ID_SIZE } from "@snap/hash";
import { type Location, ObjectKind, type PackRole } from "@snap/pack";
import type { CheckedFrame } from "@snap/pack/sink";

/** Takes frames whose objects were checked. */
export interface FrameTaker {
  /**
   * Takes a frame.
   *
   * @param frame The frame; its bytes are good until the call returns.
   */
  takeFrame(frame: CheckedFrame): unknown;
}

/** The frame whose chunks come one after the other; its memory is that of the one before. */
export class OpenFrame {
  plain: Uint8Array = new Uint8Array(0);
  readonly #taker: FrameTaker;
  readonly #plainRoom = new Room();
  readonly #storedRoom = new Room();
  #place: Location | undefined;
  #stored = new Uint8Array(0);
  #ids: Uint8Array[] = [];
  #offsets: number[] = [];
  #sizes: number[] = [];

  constructor(taker: FrameTaker) {
    this.#taker = taker;
  }

  isSame({ frameKey }: Location): boolean {
    return this.#place?.frameKey === frameKey;
  }

  open(place: Location, stored: Uint8Array, plain: Uint8Array): void {
    this.#place = place;
    // Pages and nodes are read through the same buffers meanwhile.
    this.#stored = this.#storedRoom.copy(stored);
    this.plain = this.#plainRoom.copy(plain);
  }

  add(place: Location, ids: Uint8Array, idStart: number): void {
    if (this.#offsets.includes(place.offset)) return;
    this.#ids.push(ids.slice(idStart, idStart + ID_SIZE));
    this.#offsets.push(place.offset);
    this.#sizes.push(place.size);
  }

  close(): void {
    const place = this.#place, count = this.#offsets.length;
    if (place === undefined || count === 0) return;
    const ids = new Uint8Array(ID_SIZE * count);
    this.#ids.forEach((id, i) => ids.set(id, ID_SIZE * i));
    this.#taker.takeFrame({
      stored: this.#stored,
      plain: this.plain,
      plainSize: place.plainSize,
      codecTag: place.codecTag,
      crc: place.crc,
      role: place.role as PackRole,
      rows: {
        count,
        ids,
        kinds: new Uint8Array(count).fill(ObjectKind.content),
        offsets: Uint32Array.from(this.#offsets),
        sizes: Uint32Array.from(this.#sizes),
      },
    });
    this.drop();
  }

  /** Forgets the frame. */
  drop(): void {
    this.#place = undefined;
    this.#ids = [];
    this.#offsets = [];
    this.#sizes = [];
  }
}

/** Memory for copies, one at a time. */
class Room {
  #bytes = new Uint8Array(0);

  copy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const { length } = bytes;
    if (this.#bytes.length < length) this.#bytes = new Uint8Array(2 * length);
    this.#bytes.set(bytes);
    return this.#bytes.subarray(0, length);
  }
}
