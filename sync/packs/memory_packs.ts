import type { Hasher } from "@snap/hash";
import type { PackRole } from "@snap/pack";
import { parseCodec } from "@snap/pack/codecs";
import type { CheckedFrame } from "@snap/pack/sink";
import { FrameBuilder, type PackSink, PackWriter } from "@snap/pack/write";
import type { StoreSettings } from "@snap/store/format";
import type { FrameTaker } from "../move/open_frame.ts";
import { MESSAGE_ROOM } from "../protocol/message.ts";

/** Plain bytes at which a frame of objects without one is closed. */
const FRAME_SIZE = 512 << 10;
/** Bytes by which the room of a pack grows: twice as many would be held in vain. */
const GROWTH = 4 << 20;
/** Objects of a pack: each has a row in its table. */
const OBJECT_COUNT_MAX = 1 << 16;
/** Largest object. */
const OBJECT_SIZE_MAX = 4 << 20;

/** Options of {@linkcode MemoryPacks}. */
export interface MemoryPacksOptions {
  readonly saveId: Uint8Array;
  readonly random: (size: number) => Uint8Array;
  readonly settings: StoreSettings;
  readonly hasher: Hasher;
}

/** A pack of each role that is written into memory, to be sent. */
export class MemoryPacks implements FrameTaker {
  readonly #options: MemoryPacksOptions;
  readonly #packs = new Map<PackRole, MemoryPack>();
  /** Where the packs of a role grow, one after the other: what each outgrew would be garbage. */
  readonly #rooms = new Map<PackRole, Room>();

  constructor(options: MemoryPacksOptions) {
    this.#options = options;
  }

  /** Bytes so far: what is not compressed yet counts as it is. */
  get size(): number {
    let size = 0;
    for (const pack of this.#packs.values()) size += pack.size;
    return size;
  }

  takeFrame(frame: CheckedFrame): void {
    const { role } = frame;
    let pack = this.#packs.get(role);
    if (pack === undefined) {
      const room = this.#rooms.get(role) ?? new Room();
      this.#rooms.set(role, room);
      pack = new MemoryPack(role, room, this.#options);
      this.#packs.set(role, pack);
    }
    pack.take(frame);
  }

  /** Whether the pack of a role has so many bytes, or as many objects as its table may have. */
  isFull(role: PackRole, size: number): boolean {
    const pack = this.#packs.get(role);
    return pack !== undefined &&
      (pack.size >= size || pack.objectCount >= OBJECT_COUNT_MAX);
  }

  /**
   * Ends the pack of a role, or all of them; the next frame begins new ones.
   *
   * @returns The packs, each with {@linkcode MESSAGE_ROOM} around it.
   */
  finish(role?: PackRole): Uint8Array[] {
    const roles = role === undefined ? [...this.#packs.keys()] : [role];
    return roles.flatMap((one) => {
      const pack = this.#packs.get(one);
      this.#packs.delete(one);
      return pack?.finish() ?? [];
    });
  }
}

class MemoryPack {
  readonly #room: Room;
  readonly #writer: PackWriter;
  readonly #loose = new FrameBuilder(OBJECT_SIZE_MAX);

  constructor(role: PackRole, room: Room, options: MemoryPacksOptions) {
    const { settings, random } = options;
    this.#room = room;
    this.#writer = new PackWriter({
      ...options,
      role,
      salt: random(32),
      codec: parseCodec(settings.codec),
      sink: room,
    });
  }

  get size(): number {
    return this.#writer.size + this.#loose.size;
  }

  get objectCount(): number {
    return this.#writer.objectCount;
  }

  take({ stored, plain, rows, ...frame }: CheckedFrame): void {
    let size = 0;
    for (let row = 0; row < rows.count; row++) size += rows.sizes[row];
    if (size === frame.plainSize) {
      this.#writer.addStoredFrame(stored, frame, rows);
      return;
    }
    for (let row = 0; row < rows.count; row++) {
      const { offsets, sizes, ids, kinds } = rows;
      if (this.#loose.sizeLeft < sizes[row]) this.#close();
      const bytes = plain.subarray(offsets[row], offsets[row] + sizes[row]);
      this.#loose.add(bytes, ids, 32 * row, kinds[row]);
      if (this.#loose.size >= FRAME_SIZE) this.#close();
    }
  }

  finish(): Uint8Array {
    this.#close();
    this.#writer.finish();
    return this.#room.empty();
  }

  #close(): void {
    if (this.#loose.size === 0) return;
    this.#writer.addFrame(this.#loose.plain(), this.#loose.rows);
    this.#loose.clear();
  }
}

/** Memory that grows and is used again. */
class Room implements PackSink {
  #bytes = new Uint8Array(0);
  #size = 0;

  write(bytes: Uint8Array): void {
    const end = this.#size + bytes.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(end + GROWTH);
      larger.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#size);
    this.#size = end;
  }

  /** Gives a copy of what was written, with room for a message around it. */
  empty(): Uint8Array {
    const { before, after } = MESSAGE_ROOM;
    const end = before + this.#size;
    const copy = new Uint8Array(end + after);
    copy.set(this.#bytes.subarray(0, this.#size), before);
    this.#size = 0;
    return copy.subarray(before, end);
  }
}
