/**
 * Decodes frames and hands out objects, each checked against its id, without
 * I/O: whoever has the stored bytes gives them.
 *
 * @module
 */
import { checkBytes, type Hasher } from "@snap/hash";
import { ID_SIZE } from "../bytes.ts";
import { ObjectCheck } from "./check_object.ts";
import { crc32 } from "../crc32.ts";
import { DamageError } from "../errors.ts";
import { decodeFrame, type FrameDecoders } from "../codec/frame_decoders.ts";
import type { FrameCache } from "../cache/frame_cache.ts";
import type { Location } from "../location.ts";

/** Options of an {@linkcode ObjectReader}. */
export interface ObjectReaderOptions {
  /** Cache of decoded frames. */
  readonly cache: FrameCache;
  /** Hasher. */
  readonly hasher: Hasher;
  /** Decoders that run in place of the codecs. */
  readonly decoders?: FrameDecoders | undefined;
}

const KIND_SCALE = 2 ** 24;

/** Memory for frames that the cache has no place for; the last one is kept always. */
const APART_SIZE = 4 << 20;

/**
 * Hands out objects of frames. For each object: `take` it from the cache, and
 * where that has nothing read `storedSize` bytes at `frameOffset` of the pack
 * and `decode` them. The views are good until `release`.
 *
 * An object is checked against its id once for each time its frame is decoded.
 */
export class ObjectReader {
  readonly #cache: FrameCache;
  readonly #check: ObjectCheck;
  readonly #decoders: FrameDecoders;
  readonly #pinned: number[] = [];
  /** The last frames that the cache had no place for, the newest at the end. */
  readonly #apart = new Map<number, Uint8Array>();
  #apartSize = 0;
  readonly #object = { id: new Uint8Array(ID_SIZE), offset: 0, size: 0 };

  /**
   * Makes a reader; nothing is decoded yet.
   *
   * @param options What keeps frames, what hashes and what decodes
   */
  constructor(options: ObjectReaderOptions) {
    this.#cache = options.cache;
    this.#check = new ObjectCheck(options.hasher);
    this.#decoders = options.decoders ?? {};
  }

  /**
   * Takes an object from the cache.
   *
   * @param location Where it lies
   * @param ids Bytes with its id
   * @param idStart Where its 32 bytes begin
   * @returns A view, good until `release`; `undefined` where the stored bytes
   * are needed
   */
  take(
    location: Location,
    ids: Uint8Array,
    idStart: number,
  ): Uint8Array | undefined {
    const slot = this.#cache.find(location.frameKey, location.plainSize);
    if (slot < 0) return this.#fromApart(location, ids, idStart);
    this.#pinned.push(slot);
    // Where the object does not match, `decode` finds out why.
    return this.#fromSlot(slot, location, ids, idStart);
  }

  /**
   * Decodes a frame into the cache and takes an object from it.
   *
   * @param location Where the object lies
   * @param stored Stored bytes of the frame
   * @param ids Bytes with its id
   * @param idStart Where its 32 bytes begin
   * @returns A view, good until `release`
   * @throws {DamageError} If the frame does not hold the object
   * @throws {RangeError} If `stored` has another size than the frame
   */
  decode(
    location: Location,
    stored: Uint8Array,
    ids: Uint8Array,
    idStart: number,
  ): Uint8Array {
    checkBytes(stored, "stored bytes");
    checkBytes(ids, "id");
    const { frameKey, plainSize, storedSize } = location;
    if (stored.length !== storedSize) {
      throw new RangeError(
        `Cannot decode frame as it has ${storedSize} stored bytes: found ${stored.length}`,
      );
    }
    const slot = this.#cache.pin(frameKey, plainSize);
    if (slot >= 0) {
      this.#pinned.push(slot);
      if (!this.#cache.isPlain(slot)) {
        this.#fill(slot, location, stored, ids.subarray(idStart));
      }
      const view = this.#fromSlot(slot, location, ids, idStart);
      if (view !== undefined) return view;
    }
    // No place in the cache, or what is there is wrong.
    const plain = new Uint8Array(plainSize);
    this.#decompress(location, stored, plain, ids.subarray(idStart));
    const view = objectIn(plain, location);
    if (this.#check.matches(view, location.kind, ids, idStart)) {
      this.#keepApart(frameKey, plain);
      return view;
    }
    throw this.#damage(location, stored, ids.subarray(idStart));
  }

  /** Gives back every view handed out since the last call. */
  release(): void {
    for (let i = 0; i < this.#pinned.length; i++) {
      this.#cache.unpin(this.#pinned[i]);
    }
    this.#pinned.length = 0;
  }

  #fill(
    slot: number,
    location: Location,
    stored: Uint8Array,
    id: Uint8Array,
  ): void {
    try {
      this.#decompress(location, stored, this.#cache.bytes(slot), id);
    } catch (error) {
      this.#cache.fail(slot);
      throw error;
    }
    this.#cache.publish(slot);
  }

  #decompress(
    location: Location,
    stored: Uint8Array,
    out: Uint8Array,
    id: Uint8Array,
  ): void {
    try {
      decodeFrame(location.codecTag, stored, out, this.#decoders);
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      throw this.#damage(location, stored, id, cause);
    }
  }

  #fromSlot(
    slot: number,
    location: Location,
    ids: Uint8Array,
    idStart: number,
  ): Uint8Array | undefined {
    const object = this.#object;
    for (let i = 0; i < ID_SIZE; i++) object.id[i] = ids[idStart + i];
    object.offset = location.offset;
    // Content that was checked is no tree: the kind counts, too.
    object.size = location.size + location.kind * KIND_SCALE;
    const view = objectIn(this.#cache.bytes(slot), location);
    if (this.#cache.isChecked(slot, object)) return view;
    if (!this.#check.matches(view, location.kind, ids, idStart)) return;
    this.#cache.setChecked(slot, object);
    return view;
  }

  #fromApart(
    location: Location,
    ids: Uint8Array,
    idStart: number,
  ): Uint8Array | undefined {
    const plain = this.#apart.get(location.frameKey);
    if (plain?.length !== location.plainSize) return;
    const view = objectIn(plain, location);
    if (this.#check.matches(view, location.kind, ids, idStart)) return view;
  }

  /** Keeps a frame, so that its other objects need no decoding: a range of many frames ends. */
  #keepApart(key: number, plain: Uint8Array): void {
    this.#apartSize += plain.length - (this.#apart.get(key)?.length ?? 0);
    this.#apart.delete(key);
    for (const [oldest, frame] of this.#apart) {
      if (this.#apartSize <= APART_SIZE) break;
      this.#apart.delete(oldest);
      this.#apartSize -= frame.length;
    }
    this.#apart.set(key, plain);
  }

  #damage(
    location: Location,
    stored: Uint8Array,
    id: Uint8Array,
    cause?: SyntaxError,
  ): DamageError {
    const { kind, packName, crc } = location;
    const reason = crc32(stored) === crc ? "memory" : "disk";
    return new DamageError(
      { id, kind, packName, reason },
      cause === undefined ? undefined : { cause },
    );
  }
}

function objectIn(plain: Uint8Array, location: Location): Uint8Array {
  return plain.subarray(location.offset, location.offset + location.size);
}
