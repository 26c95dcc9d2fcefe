/**
 * Objects at their places, and other copies where one is damaged: nothing waits.
 *
 * @module
 */
import type { FrameCache } from "../cache/frame_cache.ts";
import type { FrameDecoders } from "../codec/frame_decoders.ts";
import { isCopyDamage } from "../faults.ts";
import type { Hasher } from "@snap/hash";
import type { Location } from "../location.ts";
import { ObjectReader } from "./object_reader.ts";
import { type Ranges, useSound } from "../ranges/ranges.ts";

/** Copies that could not be read and are remembered. */
const FAILURES_MAX = 1024;

/** Parts of {@linkcode ObjectCopies}. */
export interface ObjectCopiesOptions {
  /** Bytes of the store. */
  readonly ranges: Ranges;
  /** Decoded frames. */
  readonly cache: FrameCache;
  /** Hasher. */
  readonly hasher: Hasher;
  /** Decoders that run in place of the codecs. */
  readonly decoders?: FrameDecoders | undefined;
  /**
   * Told of a pack that does not hold what the index says.
   *
   * @param packId Its id, 32 bytes
   */
  readonly onDamage: (packId: Uint8Array) => void;
}

/** Takes checked objects; after damage, or where a pack cannot be read, from other copies. */
export class ObjectCopies {
  readonly #ranges: Ranges;
  readonly #reader: ObjectReader;
  readonly #onDamage: (packId: Uint8Array) => void;
  /** Copies that could not be read, until all copies of the object are such. */
  readonly #failures = new Map<string, unknown>();

  /**
   * Makes a reader; nothing is read yet.
   *
   * @param options What reads, keeps and hashes
   */
  constructor(options: ObjectCopiesOptions) {
    this.#ranges = options.ranges;
    this.#reader = new ObjectReader(options);
    this.#onDamage = options.onDamage;
  }

  /**
   * Takes an object.
   *
   * @param first Where it lies
   * @param ids Bytes with its id
   * @param idStart Where its 32 bytes begin
   * @param copiesOf Gives all places where it lies; `undefined` while that is not known
   * @returns A view of its checked bytes, good until `release`; `undefined` while
   * something is on its way
   * @throws {DamageError} If every copy is damaged
   * @throws {StoreError} If the store fails
   */
  take(
    first: Location,
    ids: Uint8Array,
    idStart: number,
    copiesOf: () => readonly Location[] | undefined,
  ): Uint8Array | undefined {
    if (this.#failures.size === 0 || !this.#failures.has(keyOf(first))) {
      try {
        return this.#read(first, ids, idStart);
      } catch (error) {
        this.#fail(first, error);
      }
    }
    const copies = copiesOf();
    if (copies === undefined) return undefined;
    for (const copy of copies) {
      if (this.#failures.has(keyOf(copy))) continue;
      try {
        return this.#read(copy, ids, idStart);
      } catch (error) {
        this.#fail(copy, error);
      }
    }
    // All have failed: who asks again has them read again.
    const error = this.#failures.get(keyOf(first));
    for (const copy of copies) this.#failures.delete(keyOf(copy));
    this.#failures.delete(keyOf(first));
    throw error;
  }

  /** Gives back every view that was handed out. */
  release(): void {
    this.#reader.release();
  }

  #read(
    location: Location,
    ids: Uint8Array,
    idStart: number,
  ): Uint8Array | undefined {
    const known = this.#reader.take(location, ids, idStart);
    if (known !== undefined) return known;
    const { packName: name, frameOffset, storedSize: length } = location;
    const fileSize = location.packSize;
    const range = { name, offset: frameOffset, length, fileSize };
    return useSound(
      this.#ranges,
      range,
      (stored) => this.#reader.decode(location, stored, ids, idStart),
    )?.value;
  }

  #fail(location: Location, error: unknown): void {
    if (isCopyDamage(error)) this.#onDamage(location.packId);
    if (this.#failures.size >= FAILURES_MAX) this.#failures.clear();
    this.#failures.set(keyOf(location), error);
  }
}

function keyOf({ frameKey, offset, size }: Location): string {
  return `${frameKey} ${offset} ${size}`;
}
