import { hexOf, ID_SIZE } from "@snap/hash";
import { ObjectKind } from "@snap/pack";
import { FrameDecoder } from "@snap/pack/recipe-content";
import type { CheckedFrame } from "@snap/pack/sink";
import { nativeDecoders } from "@snap/posix/decoders";
import { rowsWithout } from "../move/frame_rows.ts";
import { idOfRow, ObjectRows } from "../object_rows.ts";
import type { ObjectList } from "./peer.ts";

/** Plain bytes of frames that are kept beside the stored ones. */
const DECODED_SIZE_MAX = 16 << 20;

/** Stored bytes of frames that are kept after all of them was given on: two directories may have one tree. */
const GIVEN_SIZE_MAX = 8 << 20;

/** A frame that was received, all of whose objects were checked. */
interface KeptFrame extends Omit<CheckedFrame, "plain"> {
  /** Objects that were not given on. */
  left: number;
}

/** Frames that were received before they were asked for. */
export class KeptFrames {
  /** Stored bytes of frames that were not given on whole. */
  size = 0;
  readonly #decoded = new Map<KeptFrame, Uint8Array>();
  #decodedSize = 0;
  readonly #decoder = new FrameDecoder(nativeDecoders);
  readonly #given = new Set<KeptFrame>();
  #givenSize = 0;
  /** Where an object lies: frame and row. */
  readonly #places = new Map<string, readonly [KeptFrame, number]>();

  /** Keeps a frame. */
  keep({ plain, ...frame }: CheckedFrame): void {
    const left = frame.rows.count;
    const kept = { ...frame, stored: frame.stored.slice(), left };
    this.#keepPlain(kept, plain.slice());
    this.size += kept.stored.length;
    for (let row = 0; row < kept.rows.count; row++) {
      const id = kept.rows.ids.subarray(ID_SIZE * row, ID_SIZE * row + ID_SIZE);
      this.#places.set(keyOf(id, kept.rows.kinds[row]), [kept, row]);
    }
  }

  /** Reads an object that is kept. */
  take(id: Uint8Array, kind: number): Uint8Array | undefined {
    const found = this.#places.get(keyOf(id, kind));
    if (found === undefined) return undefined;
    const [frame, row] = found;
    const start = frame.rows.offsets[row];
    return this.#plainOf(frame).slice(start, start + frame.rows.sizes[row]);
  }

  /** Gives objects on, or the roots of their recipes; returns those that are not kept. */
  give(
    objects: ObjectList,
    take: (frame: CheckedFrame) => void,
  ): ObjectRows {
    const rest = new ObjectRows();
    const wanted = new Map<KeptFrame, Set<number>>();
    for (let row = 0; row < objects.count; row++) {
      const id = idOfRow(objects, row);
      const key = [objects.kinds[row], ObjectKind.recipe]
        .map((kind) => keyOf(id, kind)).find((one) => this.#places.has(one));
      if (key === undefined) {
        rest.addRow(objects, row);
        continue;
      }
      const [frame, at] = this.#places.get(key)!;
      const some = wanted.get(frame) ?? new Set();
      wanted.set(frame, some.add(at));
    }
    for (const [frame, some] of wanted) this.#giveRows(frame, some, take);
    return rest;
  }

  /** Forgets all. */
  clear(): void {
    this.#places.clear();
    this.#given.clear();
    this.#givenSize = 0;
    this.#decoded.clear();
    this.#decodedSize = 0;
    this.size = 0;
  }

  #giveRows(
    frame: KeptFrame,
    wanted: ReadonlySet<number>,
    take: (frame: CheckedFrame) => void,
  ): void {
    const others = Array.from({ length: frame.rows.count }, (_, row) => row)
      .filter((row) => !wanted.has(row));
    const isWhole = others.length === 0;
    const rows = isWhole ? frame.rows : rowsWithout(frame.rows, others);
    take({ ...frame, plain: this.#plainOf(frame), rows });
    frame.left -= wanted.size;
    if (frame.left > 0 || this.#given.has(frame)) return;
    this.size -= frame.stored.length;
    this.#given.add(frame);
    this.#givenSize += frame.stored.length;
    for (const oldest of this.#given) {
      if (this.#givenSize <= GIVEN_SIZE_MAX) return;
      this.#drop(oldest);
    }
  }

  #drop(frame: KeptFrame): void {
    this.#given.delete(frame);
    this.#givenSize -= frame.stored.length;
    this.#forgetPlain(frame);
    const { count, ids, kinds } = frame.rows;
    for (let row = 0; row < count; row++) {
      const id = ids.subarray(ID_SIZE * row, ID_SIZE * row + ID_SIZE);
      const key = keyOf(id, kinds[row]);
      // Another frame may have it, too.
      if (this.#places.get(key)?.[0] === frame) this.#places.delete(key);
    }
  }

  #keepPlain(frame: KeptFrame, plain: Uint8Array): void {
    this.#decoded.set(frame, plain);
    this.#decodedSize += plain.length;
    for (const [oldest] of this.#decoded) {
      if (this.#decodedSize <= DECODED_SIZE_MAX) return;
      this.#forgetPlain(oldest);
    }
  }

  #forgetPlain(frame: KeptFrame): void {
    this.#decodedSize -= this.#decoded.get(frame)?.length ?? 0;
    this.#decoded.delete(frame);
  }

  /** Decodes a frame, unless it is one of the last. */
  #plainOf(frame: KeptFrame): Uint8Array {
    const known = this.#decoded.get(frame);
    if (known !== undefined) return known;
    const { codecTag, stored, plainSize } = frame;
    const plain = this.#decoder.decode(codecTag, stored, plainSize).slice();
    this.#keepPlain(frame, plain);
    return plain;
  }
}

function keyOf(id: Uint8Array, kind: number): string {
  return `${hexOf(id)}${kind}`;
}
